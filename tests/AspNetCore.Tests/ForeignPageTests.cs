using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>Pages of other origins change nothing, whatever they make a browser send.</summary>
public sealed class ForeignPageTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    /// <summary>What browsers say of a page that is not ours: <c>Origin</c>, <c>Sec-Fetch-Site</c>.</summary>
    public static TheoryData<string?, string?> Foreign => new()
    {
        { "https://attacker.example", "cross-site" },
        { "https://attacker.example", null },
        { "https://blog.example.com", "same-site" },
        { "http://app.example.com", null },
        { "https://app.example.com:8443", null },
        { "https://app.example.com.attacker.example", null },
        { "https://app.example.com@attacker.example", null },
        { "null", null },
        { "null", "cross-site" },
        { "", null },
        { null, "cross-site" },
        { null, "same-site" },
    };

    /// <summary>Our pages, and clients that are no browsers.</summary>
    public static TheoryData<string?, string?> Ours => new()
    {
        { null, null },
        { "https://app.example.com", "same-site" },
        { "https://APP.example.com", null },
        { "https://api.example.com", "same-origin" },
        { "null", "same-origin" },
        { null, "same-origin" },
        { null, "none" },
    };

    [Theory, MemberData(nameof(Foreign))]
    public async Task A_foreign_page_signs_nobody_out_and_refreshes_nothing(string? origin, string? site)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var refresh = browser.Cookies["sRefreshToken"];
        var headers = Headers(origin, site);

        foreach (var path in (string[])["/auth/signout", "/auth/t1/signout", "/auth/session/refresh", "/auth/t1/session/refresh"])
        {
            foreach (var cookie in (string?[])[null, "theme=dark"])
            {
                var answer = await browser.SendAsync("POST", path, cookie: cookie, headers: headers);
                Assert.Equal(403, answer.Status);
                Assert.Empty(answer.SetCookie);
                Assert.Null(answer.Header("front-token"));
            }
        }

        Assert.Equal(403, (await browser.GetAsync("/auth/session/events", headers)).Status);

        // By the application's own doors neither.
        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.PostAsync("/act", null, headers)));
        var left = await browser.PostAsync("/sign-out-here", null, headers);
        Assert.Equal((200, 0), (left.Status, left.SetCookie.Length));
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        Assert.Equal(refresh, browser.Cookies["sRefreshToken"]);
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    [Theory, MemberData(nameof(Ours))]
    public async Task Our_pages_and_other_clients_go_on(string? origin, string? site)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var headers = Headers(origin, site);

        Assert.Equal(200, (await browser.PostAsync("/act", null, headers)).Status);
        Assert.Equal(200, (await browser.RefreshAsync(headers)).Status);
        var answer = await browser.PostAsync("/auth/signout", null, headers);
        Assert.Equal((200, "remove"), (answer.Status, answer.Header("front-token")));
        Assert.Equal(401, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task With_cookies_that_cross_sites_only_the_pages_that_are_named_may_ask()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.WebsiteDomains[0] = "https://elsewhere.org");
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        var foreign = await browser.RefreshAsync(("Origin", "https://attacker.example"), ("Sec-Fetch-Site", "cross-site"));
        Assert.Equal((403, 0), (foreign.Status, foreign.SetCookie.Length));
        Assert.Equal(403, (await browser.RefreshAsync(("Origin", "https://attacker.example"), ("rid", "session"))).Status);
        Assert.Equal(200, (await browser.RefreshAsync(("Origin", "https://elsewhere.org"), ("Sec-Fetch-Site", "cross-site"), ("rid", "session"))).Status);
    }

    [Fact]
    public async Task A_bearer_token_needs_no_origin()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var device = app.NewBrowser("header");
        await device.PostAsync($"/sign-in?user={_user}");
        (string, string)[] headers = [("Origin", "capacitor://localhost"), ("Sec-Fetch-Site", "cross-site")];

        Assert.Equal(200, (await device.PostAsync("/act", null, headers)).Status);
        Assert.Equal(200, (await device.RefreshAsync(headers)).Status);

        // With a cookie beside it the page may be anybody's.
        Assert.Equal(403, (await device.SendAsync("POST", "/auth/session/refresh", bearer: device.RefreshToken, cookie: "sRefreshToken=x", headers: headers)).Status);
        Assert.Equal(200, (await device.PostAsync("/auth/signout", null, headers)).Status);
        Assert.Equal(401, (await device.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task A_web_socket_is_opened_by_our_pages_only()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        (string, string) key = ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");

        Assert.Equal(401, (await browser.GetAsync("/me", key, ("Origin", "https://blog.example.com"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/me", key, ("Origin", "https://app.example.com"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/me", key)).Status);
        Assert.Equal(200, (await browser.GetAsync("/me", ("Origin", "https://blog.example.com"))).Status);
    }

    [Fact]
    public async Task The_silo_s_front_asks_the_same_of_tickets_and_of_its_first_page()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var ticket = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        (string, string)[] foreign = [("rid", "session"), ("Origin", "http://localhost:3001"), ("Sec-Fetch-Site", "same-site")];

        foreach (var (path, body) in ((string, object?)[])[("/auth/session/ticket", new { ticket }), ("/first-page/session", null), ("/first-page/end-all", null), ("/auth/signout", null)])
        {
            var answer = await browser.PostAsync(path, body, foreign);
            Assert.Equal((403, 0), (answer.Status, answer.SetCookie.Length));
        }

        Assert.Equal(200, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"), ("Origin", "http://localhost:3000"))).Status);

        // The page that the front itself serves, by whatever name it was reached.
        Assert.Equal(200, (await browser.RefreshAsync(("Origin", core.FrontUrl.GetLeftPart(UriPartial.Authority)))).Status);
    }

    [Fact]
    public async Task Forward_auth_asks_it_of_what_the_proxy_holds()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        await core.SignInAsync(browser);

        Assert.Equal(401, (await browser.GetAsync("/auth/verify", ("X-Forwarded-Method", "POST"), ("Origin", "http://localhost:3001"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/auth/verify", ("X-Forwarded-Method", "GET"), ("Origin", "http://localhost:3001"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/auth/verify", ("X-Forwarded-Method", "POST"), ("Origin", "http://localhost:3000"))).Status);
        Assert.Equal(200, (await browser.GetAsync("/auth/verify", ("X-Forwarded-Method", "POST"), ("Origin", "https://shop.test"), ("X-Forwarded-Host", "shop.test"))).Status);
    }

    private static (string, string)[] Headers(string? origin, string? site) =>
        [.. origin is null ? [] : ((string, string)[])[("Origin", origin)], .. site is null ? [] : ((string, string)[])[("Sec-Fetch-Site", site)]];
}
