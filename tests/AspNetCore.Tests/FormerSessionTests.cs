using Grid.Abstractions.Sessions;

namespace Grid.AspNetCore.Tests;

/// <summary>What becomes of a session that a browser had before, or that was stolen from it.</summary>
public sealed class FormerSessionTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("cookie", false)]
    [InlineData("cookie", true)]
    [InlineData("header", false)]
    [InlineData("header", true)]
    public async Task A_sign_in_ends_the_former_session_though_its_access_token_has_expired(string mode, bool byTicket)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = byTicket ? new TestBrowser(core.FrontUrl, mode) : app.NewBrowser(mode);
        var former = await SignInAsync(browser, byTicket);
        core.Clock.Skip(TimeSpan.FromMinutes(61));

        var present = await SignInAsync(browser, byTicket);

        Assert.NotEqual(former, present);
        Assert.False(await LivesAsync(former));
        Assert.True(await LivesAsync(present));
    }

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    public async Task A_sign_in_over_a_session_whose_tenant_was_removed_makes_a_session(string mode)
    {
        var prefix = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{prefix}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        await using var app = await ClientApp.StartAsync(core, options => options.ConnectionUri = new Uri(core.Url, prefix));
        using var browser = app.NewBrowser(mode);
        await browser.PostAsync($"/sign-in?user={_user}&tenant=t1");
        Assert.Equal(200, (await core.PostAsync($"{prefix}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Status);

        var answer = await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(200, answer.Status);
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        Assert.Equal("OK", (await core.SendAsync("GET", $"{prefix}/recipe/session?sessionHandle={answer.Text}")).Word);
    }

    [Fact]
    public async Task A_sign_in_by_header_ends_the_session_in_the_cookies_too()
    {
        using var browser = new TestBrowser(core.FrontUrl, "cookie");
        var inCookies = await SignInAsync(browser, byTicket: true);
        using var other = new TestBrowser(core.FrontUrl, "header");
        var inHeaders = await SignInAsync(other, byTicket: true);
        using var both = new TestBrowser(core.FrontUrl, "header") { AccessToken = other.AccessToken };
        both.Cookies["sAccessToken"] = browser.Cookies["sAccessToken"];

        var present = await SignInAsync(both, byTicket: true);

        Assert.Equal((false, false, true), (await LivesAsync(inCookies), await LivesAsync(inHeaders), await LivesAsync(present)));
    }

    [Fact]
    public async Task A_token_with_a_changed_signature_ends_nothing()
    {
        using var victim = new TestBrowser(core.FrontUrl, "header");
        var former = await SignInAsync(victim, byTicket: true);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        using var attacker = new TestBrowser(core.FrontUrl, "header") { AccessToken = victim.AccessToken![..^6] + "AAAAAA" };

        await SignInAsync(attacker, byTicket: true);

        Assert.True(await LivesAsync(former));
    }

    [Fact]
    public async Task A_sign_out_in_code_ends_a_session_whose_access_token_has_expired()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        core.Clock.Skip(TimeSpan.FromMinutes(61));

        var answer = await browser.PostAsync("/sign-out");

        Assert.Equal((200, "remove"), (answer.Status, answer.Header("front-token")));
        Assert.False(await LivesAsync(handle));
    }

    [Fact]
    public async Task An_expired_token_without_its_anti_csrf_token_signs_nobody_out()
    {
        await using var app = await ClientApp.StartAsync(core, options => options.AntiCsrf = AntiCsrfMode.ViaToken);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        core.Clock.Skip(TimeSpan.FromMinutes(61));

        await browser.SendAsync("POST", "/sign-out", cookie: $"sAccessToken={browser.Cookies["sAccessToken"]}");
        Assert.True(await LivesAsync(handle));
    }

    [Fact]
    public async Task A_theft_is_revoked_once_and_answered_though_the_store_fails_just_then()
    {
        var prefix = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0 });
        var appId = prefix["/appid-".Length..];
        await using var app = await ClientApp.StartAsync(core, options => options.ConnectionUri = new Uri(core.Url, prefix));
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var stolen = browser.Cookies["sRefreshToken"];
        await browser.RefreshAsync();
        core.Clock.Skip(TimeSpan.FromSeconds(5));
        core.Store.TakeAwayAfterRevocation(appId);

        var answer = await browser.SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={stolen}");

        core.Store.GiveBack(appId);
        Assert.Equal((401, """{"message":"token theft detected"}"""), (answer.Status, answer.Text));
        Assert.Equal(RevocationReason.RefreshTokenReuse, Assert.Single(core.Store.Revocations(appId), r => r.Scope is RevocationScope.Named).Reason);
    }

    [Fact]
    public async Task A_merge_that_would_not_fit_into_the_cookie_stores_nothing()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var before = await StoredAsync(handle);

        var refused = await browser.PostAsync("/fill?size=2600");

        Assert.Equal(400, refused.Status);
        Assert.Matches("would have [0-9]+ characters, and its cookie holds [0-9]+", refused.Text);
        Assert.Empty(refused.SetCookie);
        Assert.Null(refused.Header("front-token"));
        Assert.Equal(before, await StoredAsync(handle));
        Assert.Equal(200, (await browser.PostAsync("/fill?size=1000")).Status);
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    [Fact]
    public async Task A_refresh_that_would_not_fit_into_the_cookie_rotates_nothing_and_loses_no_session()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        using var front = new TestBrowser(core.FrontUrl);
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var ordered = await SignInAsync(front, byTicket: true);
        foreach (var session in (string[])[handle, ordered])
        {
            await PutPayloadAsync(session, new { fill = new string('x', 2600) });
        }

        for (var i = 0; i < 2; i++)
        {
            foreach (var answer in (FrontAnswer[])[await browser.RefreshAsync(), await front.RefreshAsync()])
            {
                Assert.Equal(400, answer.Status);
                Assert.Contains("at most", answer.Text, StringComparison.Ordinal);
                Assert.Empty(answer.SetCookie);
                Assert.Null(answer.Header("front-token"));
            }

            core.Clock.Skip(TimeSpan.FromMinutes(2));
        }

        foreach (var session in (string[])[handle, ordered])
        {
            await PutPayloadAsync(session, new { });
        }

        Assert.Equal((200, 200), ((await browser.RefreshAsync()).Status, (await front.RefreshAsync()).Status));
    }

    [Fact]
    public async Task A_sign_in_that_would_not_fit_makes_no_session()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        Assert.Equal(400, (await browser.PostAsync($"/sign-in?user={_user}&fill=2600")).Status);
        Assert.Empty((await core.SendAsync("GET", $"/recipe/session/user?userId={_user}")).Json["sessionHandles"]!.AsArray());
        using var byHeader = app.NewBrowser("header");
        Assert.Equal(200, (await byHeader.PostAsync($"/sign-in?user={_user}&fill=2600")).Status);
        Assert.Equal(200, (await byHeader.GetAsync("/me")).Status);
        Assert.Equal(200, (await byHeader.RefreshAsync()).Status);
    }

    [Fact]
    public async Task A_ticket_whose_session_would_not_fit_is_refused_when_it_is_ordered()
    {
        var refused = await core.PostAsync("/session/ticket", new { userId = _user, userDataInJWT = new { fill = new string('x', 2600) } });
        Assert.Equal(400, refused.Status);
        Assert.Contains("cookie holds", refused.Text, StringComparison.Ordinal);

        // What fits fits, to the character.
        using var browser = new TestBrowser(core.FrontUrl);
        var size = 2600;
        CoreAnswer ordered;
        do
        {
            ordered = await core.PostAsync("/session/ticket", new { userId = _user, userDataInJWT = new { fill = new string('x', --size) } });
        }
        while (ordered.Status == 400);
        var answer = await browser.PostAsync("/auth/session/ticket", new { ticket = ordered.Json["ticket"]!.GetValue<string>() }, ("rid", "session"));
        Assert.Equal(200, answer.Status);
        Assert.InRange(answer.SetCookie.Single(l => l.StartsWith("sAccessToken=", StringComparison.Ordinal)).Length, 4080, 4096);
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    private async Task<string> SignInAsync(TestBrowser browser, bool byTicket)
    {
        if (!byTicket)
        {
            return (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        }

        var ordered = await core.PostAsync("/session/ticket", new { userId = _user });
        Assert.Equal(200, (await browser.PostAsync("/auth/session/ticket", new { ticket = ordered.Json["ticket"]!.GetValue<string>() }, ("rid", "session"))).Status);
        return ordered.Json["sessionHandle"]!.GetValue<string>();
    }

    private async Task<bool> LivesAsync(string handle) => (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word == "OK";

    private async Task<string> StoredAsync(string handle) => (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Json["userDataInJWT"]!.ToJsonString();

    private async Task PutPayloadAsync(string handle, object payload) =>
        Assert.Equal("OK", (await core.SendAsync("PUT", "/recipe/jwt/data", new { sessionHandle = handle, userDataInJWT = payload })).Word);
}
