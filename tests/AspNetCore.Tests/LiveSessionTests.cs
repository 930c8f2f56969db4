using System.Net;
using System.Text.Json;
using Grid.TestKit;

namespace Grid.AspNetCore.Tests;

/// <summary>An application that checks sessions itself: no call per request, and dead at once all the same.</summary>
public sealed class LiveSessionTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_known_session_costs_no_look_and_a_revocation_waits_for_the_application()
    {
        var appId = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = new Uri(core.Url, appId));
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        var reads = core.Store.Reads(appId["/appid-".Length..]);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        }

        Assert.Equal(reads, core.Store.Reads(appId["/appid-".Length..]));
        var receipt = await core.PostAsync($"{appId}/session/revoke", new { sessionHandles = new[] { handle } });

        Assert.InRange((int)receipt.Json["holders"]!["confirmed"]!, 2, 100);
        Assert.Equal(401, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task All_sessions_of_a_user_end_in_every_application()
    {
        await using var one = await ClientApp.StartAsync(core);
        await using var two = await ClientApp.StartAsync(core);
        using var browser = one.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={_user}");
        var bearer = browser.AccessToken;
        Assert.Equal(200, (await one.NewBrowser().SendAsync("GET", "/me", bearer: bearer)).Status);
        Assert.Equal(200, (await two.NewBrowser().SendAsync("GET", "/me", bearer: bearer)).Status);

        await core.PostAsync("/session/revoke", new { userId = _user });

        Assert.Equal(401, (await one.NewBrowser().SendAsync("GET", "/me", bearer: bearer)).Status);
        Assert.Equal(401, (await two.NewBrowser().SendAsync("GET", "/me", bearer: bearer)).Status);
    }

    [Fact]
    public async Task Tokens_of_a_revoked_key_are_worthless_in_the_application_at_once()
    {
        var appId = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = new Uri(core.Url, appId));
        using var browser = app.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={_user}");
        var bearer = browser.AccessToken!;
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        using var header = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(bearer.Split('.')[0]));

        await core.PostAsync($"{appId}/session/revoke", new { signingKey = header.RootElement.GetProperty("kid").GetString() });

        Assert.Equal((401, """{"message":"try refresh token"}"""), await Answers.Brief(app.NewBrowser().SendAsync("GET", "/me", bearer: bearer)));
    }

    [Fact]
    public async Task Without_a_connection_known_sessions_are_accepted_first_sight_is_503_and_nobody_is_signed_out()
    {
        await using var cable = new TcpRelay(core.Url);
        await using var app = await ClientApp.StartAsync(core, o => o.ConnectionUri = cable.Url);
        using var known = app.NewBrowser("header");
        using var unseen = app.NewBrowser("header");
        await known.PostAsync($"/sign-in?user={_user}");
        await unseen.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(200, (await known.GetAsync("/me")).Status);

        cable.Cut();
        Assert.Equal(200, (await known.GetAsync("/me")).Status);
        Assert.Equal(503, (await unseen.GetAsync("/me")).Status);

        cable.Mend();
        while ((await unseen.GetAsync("/me")).Status != 200)
        {
            await Task.Delay(50, Stop);
        }

        Assert.Equal(200, (await known.GetAsync("/me")).Status);
    }

    [Theory]
    [InlineData("/until-the-end", "waiting ended")]
    [InlineData("/auth/session/events", ": here\n\nevent: ended\ndata: {}\n\n")]
    public async Task A_request_that_outlives_its_check_ends_with_the_session(string path, string expected)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={_user}");
        using var http = new HttpClient { BaseAddress = app.Url };
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Authorization", $"Bearer {browser.AccessToken}" } } };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var body = response.Content.ReadAsStringAsync(Stop);
        await Task.Delay(100, Stop);
        Assert.False(body.IsCompleted);

        await core.PostAsync("/session/revoke", new { userId = _user });

        Assert.Equal(expected, await body.WaitAsync(TimeSpan.FromMinutes(2), Stop));
    }

    [Fact]
    public async Task An_endpoint_may_ask_where_others_do_not()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.CheckEachRequest = false);
        using var browser = app.NewBrowser("header");
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var bearer = browser.AccessToken;
        while ((await browser.GetAsync("/checked")).Status == 503)
        {
            // Its connection is being made; nobody waited for it at the start.
            await Task.Delay(20, Stop);
        }

        Assert.Equal(200, (await browser.GetAsync("/checked")).Status);
        await core.PostAsync("/session/revoke", new { sessionHandles = new[] { handle } });

        Assert.Equal(401, (await app.NewBrowser().SendAsync("GET", "/checked", bearer: bearer)).Status);
        Assert.Equal(200, (await app.NewBrowser().SendAsync("GET", "/me", bearer: bearer)).Status);
    }

    [Fact]
    public async Task An_answer_that_shows_the_session_does_not_show_its_token()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser("header");
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        var shown = (await browser.GetAsync("/session")).Text;

        Assert.Contains(handle, shown, StringComparison.Ordinal);
        Assert.DoesNotContain(browser.AccessToken!, shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_no_session_gets_no_events_and_the_script_is_there_for_all()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        Assert.Equal(401, (await browser.GetAsync("/auth/session/events")).Status);
        Assert.Contains("session/events", (await browser.GetAsync("/auth/session/events.js")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    public async Task A_page_that_was_told_of_the_end_is_sent_to_refresh_which_is_where_it_loses_its_tokens(string mode)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser(mode);
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((200, """{"status":"OK"}"""), await Answers.Brief(browser.GetAsync("/auth/session/events?ended")));

        await core.PostAsync("/session/revoke", new { userId = _user });
        var told = await browser.GetAsync("/auth/session/events?ended");
        var refreshed = await browser.RefreshAsync();

        Assert.Equal((401, """{"message":"try refresh token"}"""), (told.Status, told.Text));
        Assert.Equal((null, []), (told.Header("front-token"), told.SetCookie));
        Assert.Equal((401, "remove"), (refreshed.Status, refreshed.Header("front-token")));
    }
}
