using System.Diagnostics;
using Grid.TestKit;

namespace Grid.Client.Tests;

/// <summary>A revocation takes as long as the lease of an application that has fallen silent: that is not an outage, and its caller is told so.</summary>
public sealed class RevocationTimeoutTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_waited_for_past_the_timeout_and_what_still_waits_is_told_from_an_outage()
    {
        await using var way = new TcpRelay(core.Url);
        await using var silent = await ClientApp.StartAsync(core, o => o.ConnectionUri = way.Url);
        await using var patient = await ClientApp.StartAsync(core, o => o.Timeout = TimeSpan.FromSeconds(1));
        await using var hasty = await ClientApp.StartAsync(core, o => (o.Timeout, o.RevocationTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));

        // By one that is not in a hurry: the first session of a silo may have to wait for the app's first key.
        var used = await silent.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        var stolen = await silent.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        // Who has none to end is waited for by nobody.
        await silent.Sessions.CreateAsync(new SessionDraft { UserId = $"{_user}-2" }, Stop);
        using var browser = silent.NewBrowser("header");
        Assert.Equal(200, (await browser.SendAsync("GET", "/me", bearer: used.Tokens.Access.Text)).Status);

        way.Put(Between.Silence);
        var since = Stopwatch.GetTimestamp();
        var revoked = patient.Sessions.RevokeUserAsync($"{_user}-2", null, null, Stop);
        var reused = ReuseAsync(patient.Sessions, stolen.Tokens.Refresh.Text);
        var failure = await Assert.ThrowsAsync<GridException>(() => hasty.Sessions.RevokeAsync(used.Handle, Stop));

        Assert.Equal(GridFailure.StillWaiting, failure.Reason);
        Assert.Contains("Repeat the call", failure.Message, StringComparison.Ordinal);
        await revoked;
        Assert.True(Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(2));
        Assert.Equal(SessionVerdict.TokenTheft, (await reused).Verdict);

        // The repetition finds nothing to end, and confirms.
        Assert.True((await patient.Sessions.RevokeAsync(used.Handle, Stop)).Receipt.Confirmed > 0);
        Assert.Equal(401, (await patient.NewBrowser().SendAsync("GET", "/me", bearer: used.Tokens.Access.Text)).Status);
    }

    [Fact]
    public async Task Who_does_not_answer_at_all_is_not_waited_for_that_long()
    {
        await using var way = new TcpRelay(core.Url);
        await using var app = await ClientApp.StartAsync(core, o => (o.ConnectionUri, o.Timeout) = (way.Url, TimeSpan.FromSeconds(1)));
        way.Put(Between.Silence);

        var failure = await Assert.ThrowsAsync<GridException>(() => app.Sessions.RevokeUserAsync(_user, null, null, Stop).WaitAsync(TimeSpan.FromSeconds(60), Stop));

        Assert.Equal(GridFailure.Unavailable, failure.Reason);
    }

    [Fact]
    public async Task The_browser_of_a_sign_out_that_still_waits_is_told_to_come_again_and_keeps_its_tokens()
    {
        await using var way = new TcpRelay(core.Url);
        await using var silent = await ClientApp.StartAsync(core, o => o.ConnectionUri = way.Url);
        await using var hasty = await ClientApp.StartAsync(core, o => o.RevocationTimeout = TimeSpan.FromSeconds(1));
        using var browser = hasty.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await silent.NewBrowser().SendAsync("GET", "/me", bearer: browser.AccessToken)).Status);
        way.Put(Between.Silence);

        var answer = await browser.PostAsync("/auth/signout");

        Assert.Equal((503, """{"message":"the revocation is not confirmed yet, please retry"}"""), (answer.Status, answer.Text));
        Assert.Equal("1", answer.Header("Retry-After"));
        Assert.Null(answer.Header("front-token"));
        Assert.Equal(1, hasty.Log.Count(4002));
    }

    // The token before the last: no tab that came late has that one.
    private static async Task<TokenRefresh> ReuseAsync(IGridSessions sessions, string token)
    {
        var last = token;
        for (var i = 0; i < 2; i++)
        {
            last = (await sessions.RefreshAsync(new TokenToRefresh(last, false, null, true), Stop)).Tokens!.Refresh.Text;
        }

        return await sessions.RefreshAsync(new TokenToRefresh(token, false, null, true), Stop);
    }
}
