using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary><c>POST /auth/session/refresh</c>, byte by byte where clients look.</summary>
public sealed class RefreshWireTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task Sign_in_and_refresh_set_both_cookies_and_the_front_token()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        foreach (var answer in (FrontAnswer[])[await browser.PostAsync($"/sign-in?user={_user}&email=a@b.c"), await browser.RefreshAsync()])
        {
            var now = core.Clock.GetUtcNow();
            Assert.Equal(200, answer.Status);
            Assert.Equal("set; Path=/; Expires=365 days; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sAccessToken", now));
            Assert.Equal("set; Path=/auth/session/refresh; Expires=100 days; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sRefreshToken", now));
            Assert.Equal(_user, answer.Front["uid"]!.GetValue<string>());
            Assert.InRange(answer.Front["ate"]!.GetValue<long>(), now.AddMinutes(55).ToUnixTimeMilliseconds(), now.AddMinutes(61).ToUnixTimeMilliseconds());
            Assert.Equal("a@b.c", answer.Front["up"]!["email"]!.GetValue<string>());
            Assert.Equal("https://api.example.com/auth", answer.Front["up"]!["iss"]!.GetValue<string>());
            Assert.Equal(_user, answer.Front["up"]!["sub"]!.GetValue<string>());
            Assert.Equal("front-token", answer.Header("Access-Control-Expose-Headers"));
            Assert.Equal("no-store", answer.Header("Cache-Control"));
            Assert.Null(answer.Header("st-access-token"));
            Assert.Null(answer.Header("anti-csrf"));
        }
    }

    [Fact]
    public async Task Header_mode_sets_no_cookie()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser("header");

        foreach (var send in (Func<Task<FrontAnswer>>[])[() => browser.PostAsync($"/sign-in?user={_user}"), () => browser.RefreshAsync()])
        {
            var answer = await send();
            Assert.Equal(200, answer.Status);
            Assert.Empty(answer.SetCookie);
            Assert.Equal("front-token, st-access-token, st-refresh-token", answer.Header("Access-Control-Expose-Headers"));
            Assert.Equal(browser.AccessToken, answer.Header("st-access-token"));
        }

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task A_client_that_names_no_mode_gets_headers()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser("");

        Assert.NotNull((await browser.PostAsync($"/sign-in?user={_user}")).Header("st-refresh-token"));
    }

    [Theory]
    [InlineData("sRefreshToken=")]
    [InlineData("sRefreshToken=garbage")]
    [InlineData("sRefreshToken=%zz; sAccessToken=x")]
    public async Task Without_a_refresh_token_that_will_do_everything_is_cleared(string cookies)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        var answer = await browser.SendAsync("POST", "/auth/session/refresh", cookie: cookies);

        AssertCleared(answer, """{"message":"unauthorised"}""");
    }

    [Fact]
    public async Task A_request_without_any_token_clears_no_cookie()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        var answer = await browser.SendAsync("POST", "/auth/session/refresh", cookie: "theme=dark");

        // A page that believes in a session hears that there is none; a form that another site posted changes nothing.
        Assert.Equal((401, """{"message":"unauthorised"}""", "remove"), (answer.Status, answer.Text, answer.Header("front-token")));
        Assert.Empty(answer.SetCookie);
    }

    [Fact]
    public async Task Reuse_of_a_refresh_token_ends_the_session_and_clears()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var stolen = browser.Cookies["sRefreshToken"];
        await browser.RefreshAsync();
        await browser.RefreshAsync();

        AssertCleared(await browser.SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={stolen}"), """{"message":"token theft detected"}""");
        Assert.Equal((401, """{"message":"unauthorised"}"""), await Brief(browser.GetAsync("/me")));
    }

    [Fact]
    public async Task Two_tabs_with_one_refresh_token_both_go_on()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var cookie = $"sRefreshToken={browser.Cookies["sRefreshToken"]}";

        FrontAnswer[] answers =
        [
            .. await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => browser.SendAsync("POST", "/auth/session/refresh", cookie: cookie))),

            // A tab that was slower: the others have their answer already.
            await browser.SendAsync("POST", "/auth/session/refresh", cookie: cookie),
        ];

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(answers.Select(answer => answer.SetCookie.Single(line => line.StartsWith("sRefreshToken=", StringComparison.Ordinal)).Split(';')[0]).Distinct());
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task Via_token_asks_for_the_token_and_hands_out_the_next()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.AntiCsrf = AntiCsrfMode.ViaToken);
        using var browser = app.NewBrowser();
        var signedIn = await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal("front-token, anti-csrf", signedIn.Header("Access-Control-Expose-Headers"));

        var refreshed = await browser.RefreshAsync(("anti-csrf", browser.AntiCsrf!));
        Assert.Equal(200, refreshed.Status);
        Assert.NotEqual(signedIn.Header("anti-csrf"), refreshed.Header("anti-csrf"));
        AssertCleared(await browser.RefreshAsync(), """{"message":"unauthorised"}""");
    }

    [Fact]
    public async Task Via_custom_header_asks_for_rid_where_cookies_cross_sites()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.WebsiteDomains[0] = "https://elsewhere.org");
        using var browser = app.NewBrowser();
        var signedIn = await browser.PostAsync($"/sign-in?user={_user}");
        Assert.EndsWith("; HttpOnly; Secure; SameSite=None", signedIn.Cookie("sAccessToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);

        Assert.Equal(200, (await browser.RefreshAsync(("rid", "anti-csrf"))).Status);
        AssertCleared(await browser.RefreshAsync(), """{"message":"unauthorised"}""");
    }

    [Fact]
    public async Task The_other_way_s_refresh_token_is_cleared()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser("header");
        await browser.PostAsync($"/sign-in?user={_user}");

        var answer = await browser.SendAsync("POST", "/auth/session/refresh", bearer: browser.RefreshToken, cookie: "sRefreshToken=old; sAccessToken=old");

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("cleared; ", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        Assert.NotEqual("remove", answer.Header("front-token"));
    }

    [Fact]
    public async Task Duplicates_are_cleared_on_the_older_domain_and_the_session_goes_on()
    {
        await using var app = await ClientApp.StartAsync(core, o =>
        {
            o.CookieDomain = "api.example.com";
            o.OlderCookieDomain = ".example.com";
        });
        using var browser = app.NewBrowser();
        var signedIn = await browser.PostAsync($"/sign-in?user={_user}");
        Assert.StartsWith("set; Domain=api.example.com; Path=/; ", signedIn.Cookie("sAccessToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        var twice = $"sAccessToken=a; sRefreshToken=b; sAccessToken={browser.Cookies["sAccessToken"]}; sRefreshToken={browser.Cookies["sRefreshToken"]}";

        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.SendAsync(
            "GET", "/me", cookie: $"sAccessToken={browser.Cookies["sAccessToken"]}; sAccessToken={browser.Cookies["sAccessToken"]}")));
        var answer = await new TestBrowser(app.Url).SendAsync("POST", "/auth/session/refresh", cookie: twice);

        Assert.Equal((200, _user), (answer.Status, answer.Front["uid"]!.GetValue<string>()));
        Assert.Equal("cleared; Domain=.example.com; Path=/; Expires=1970; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sAccessToken", core.Clock.GetUtcNow()));
        Assert.Equal("cleared; Domain=.example.com; Path=/auth/session/refresh; Expires=1970; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()));
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    [Fact]
    public async Task The_cookie_of_an_older_sdk_asks_for_a_refresh_unless_there_is_a_session_and_goes_with_it()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        browser.Cookies["sIdRefreshToken"] = "x";

        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.SendAsync("GET", "/me", cookie: "sIdRefreshToken=x")));
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        var cleared = (await browser.RefreshAsync()).SetCookie.Where(line => line.StartsWith("sIdRefreshToken=;", StringComparison.Ordinal)).ToArray();
        Assert.Contains(cleared, line => line.StartsWith("sIdRefreshToken=; Path=/;", StringComparison.Ordinal));
        Assert.Contains(cleared, line => line.StartsWith("sIdRefreshToken=; Domain=.example.com; Path=/;", StringComparison.Ordinal));
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task Host_cookies_have_the_prefix_and_the_attributes_that_it_demands()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.HostCookies = true);
        using var browser = app.NewBrowser();

        var answer = await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal("set; Path=/; Expires=100 days; HttpOnly; Secure; SameSite=Lax", answer.Cookie("__Host-sRefreshToken", core.Clock.GetUtcNow()));
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task An_outage_answers_503_and_leaves_the_cookies_alone()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        core.Store.TakeAway("public");
        try
        {
            foreach (var answer in (FrontAnswer[])[await browser.RefreshAsync(), await browser.PostAsync("/auth/signout"), await browser.GetAsync("/me")])
            {
                Assert.Equal((503, "1"), (answer.Status, answer.Header("Retry-After")));
                Assert.Empty(answer.SetCookie);
                Assert.Null(answer.Header("front-token"));
            }
        }
        finally
        {
            core.Store.GiveBack("public");
        }

        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }
}
