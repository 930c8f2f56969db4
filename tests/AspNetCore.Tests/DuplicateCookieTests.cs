using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>Cookies that come twice: a sibling domain, or a page of another path, has put one of our names beside ours.</summary>
public sealed class DuplicateCookieTests(CoreHost core)
{
    private const string TryRefresh = """{"message":"try refresh token"}""";

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    public static TheoryData<string> Tossed => new(
        "x", "", "%zz", "garbage.garbage.garbage", new string('A', 200), "eyJraWQiOiJkLTEiLCJ0eXAiOiJKV1QiLCJ2ZXJzaW9uIjoiNSIsImFsZyI6IlJTMjU2In0.e30.AAAA");

    [Theory, MemberData(nameof(Tossed))]
    public async Task The_only_right_one_is_taken_wherever_it_stands_and_the_others_are_cleared(string tossed)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        foreach (var around in (Func<string, string, string>[])[(name, own) => $"{name}={tossed}; {name}={own}", (name, own) => $"{name}={own}; {name}={tossed}"])
        {
            var (access, refresh) = (browser.Cookies["sAccessToken"], browser.Cookies["sRefreshToken"]);
            var shown = await browser.SendAsync("GET", "/me", cookie: around("sAccessToken", access));
            Assert.Equal(200, shown.Status);
            Assert.Contains(shown.SetCookie, line => line.StartsWith("sAccessToken=; Domain=.example.com; Path=/;", StringComparison.Ordinal));
            Assert.Contains(shown.SetCookie, line => line.StartsWith("sAccessToken=; Domain=.api.example.com; Path=/;", StringComparison.Ordinal));
            Assert.DoesNotContain(shown.SetCookie, line => line.StartsWith("sAccessToken=; Path=/;", StringComparison.Ordinal));

            using var other = app.NewBrowser();
            var answer = await other.SendAsync("POST", "/auth/session/refresh", cookie: $"{around("sAccessToken", access)}; {around("sRefreshToken", refresh)}");
            Assert.Equal((200, _user), (answer.Status, answer.Front["uid"]!.GetValue<string>()));
            var own = Assert.Single(answer.SetCookie, line => line.StartsWith("sRefreshToken=", StringComparison.Ordinal) && !line.StartsWith("sRefreshToken=;", StringComparison.Ordinal));
            foreach (var place in (string[])["Domain=.example.com; Path=/auth/session/refresh", "Domain=.example.com; Path=/", "Path=/", "Path=/auth"])
            {
                Assert.Contains(answer.SetCookie, line => line.StartsWith($"sRefreshToken=; {place};", StringComparison.Ordinal));
            }

            Assert.DoesNotContain(answer.SetCookie, line => line.StartsWith("sRefreshToken=; Path=/auth/session/refresh;", StringComparison.Ordinal));
            Assert.InRange(answer.SetCookie.Sum(line => line.Length), 1, 8 * 1024);
            browser.Cookies["sRefreshToken"] = own.Split(';')[0].Split('=', 2)[1];
            browser.Cookies["sAccessToken"] = Assert.Single(answer.SetCookie, line => line.StartsWith("sAccessToken=ey", StringComparison.Ordinal)).Split(';')[0].Split('=', 2)[1];
        }

        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
    }

    [Fact]
    public async Task If_none_is_right_it_is_a_401_that_clears_them_all()
    {
        await using var app = await ClientApp.StartAsync(core);
        foreach (var url in (Uri[])[app.Url, core.FrontUrl])
        {
            using var browser = new TestBrowser(url);

            var answer = await browser.SendAsync("POST", "/auth/session/refresh", cookie: "sRefreshToken=a; sRefreshToken=b; sAccessToken=a; sAccessToken=b");

            Assert.Equal((401, """{"message":"unauthorised"}"""), (answer.Status, answer.Text));
            Assert.Contains(answer.SetCookie, line => line.StartsWith("sRefreshToken=; Path=/auth/session/refresh;", StringComparison.Ordinal));
            Assert.Contains(answer.SetCookie, line => line.StartsWith("sRefreshToken=; Path=/;", StringComparison.Ordinal));
            Assert.Contains(answer.SetCookie, line => line.StartsWith("sAccessToken=; Path=/auth;", StringComparison.Ordinal));
            Assert.Equal((401, TryRefresh), await Brief(browser.SendAsync("GET", "/auth/verify", cookie: "sAccessToken=a; sAccessToken=b")));
        }
    }

    [Fact]
    public async Task Another_s_living_session_beside_one_s_own_is_nobody_s()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var victim = app.NewBrowser();
        using var attacker = app.NewBrowser();
        await victim.PostAsync($"/sign-in?user={_user}");
        await attacker.PostAsync("/sign-in?user=attacker");
        string Both(string name) => $"{name}={attacker.Cookies[name]}; {name}={victim.Cookies[name]}";

        Assert.Equal((401, TryRefresh), await Brief(app.NewBrowser().SendAsync("GET", "/me", cookie: Both("sAccessToken"))));
        var answer = await app.NewBrowser().SendAsync("POST", "/auth/session/refresh", cookie: Both("sRefreshToken"));
        Assert.Equal((401, """{"message":"unauthorised"}"""), (answer.Status, answer.Text));
        Assert.Contains(answer.SetCookie, line => line.StartsWith("sRefreshToken=; Domain=.example.com; Path=/auth/session/refresh;", StringComparison.Ordinal));

        // Nothing was rotated, nothing taken for theft.
        Assert.Equal(200, (await victim.RefreshAsync()).Status);
        Assert.Equal(200, (await attacker.RefreshAsync()).Status);

        // Once the other has ended, the own one is the only right one.
        await attacker.PostAsync("/auth/signout");
        Assert.Equal(200, (await app.NewBrowser().SendAsync("GET", "/me", cookie: Both("sAccessToken"))).Status);
        Assert.Equal(_user, (await app.NewBrowser().SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={attacker.Cookies["sRefreshToken"]}x; sRefreshToken={victim.Cookies["sRefreshToken"]}")).Front["uid"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_retired_token_beside_the_living_one_is_not_taken_for_theft()
    {
        await using var app = await ClientApp.StartAsync(core);
        foreach (var url in (Uri[])[app.Url, core.FrontUrl])
        {
            using var browser = new TestBrowser(url);
            var signIn = url == app.Url ? await browser.PostAsync($"/sign-in?user={_user}") : await core.SignInAsync(browser);
            Assert.Equal(200, signIn.Status);
            var retired = browser.Cookies["sRefreshToken"];
            await browser.RefreshAsync();
            await browser.RefreshAsync();

            using var twice = new TestBrowser(url);
            Assert.Equal(200, (await twice.SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={retired}; sRefreshToken={browser.Cookies["sRefreshToken"]}")).Status);

            // Alone it is what it always was.
            Assert.Equal((401, """{"message":"token theft detected"}"""), await Brief(new TestBrowser(url).SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={retired}")));
        }
    }

    [Fact]
    public async Task Any_number_of_them_costs_little_and_locks_nobody_out()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var forged = "eyJraWQiOiJkLTEiLCJ0eXAiOiJKV1QiLCJ2ZXJzaW9uIjoiNSIsImFsZyI6IlJTMjU2In0.e30.AAAA";
        var access = string.Join("; ", Enumerable.Range(0, 60).Select(n => $"sAccessToken={forged}{n:D3}"));

        // Browsers send longer paths first: ours is the last of the access cookies and among the first of the refresh cookies.
        Assert.Equal(200, (await browser.SendAsync("GET", "/me", cookie: $"{access}; sAccessToken={browser.Cookies["sAccessToken"]}")).Status);
        var refresh = string.Join("; ", Enumerable.Range(0, 60).Select(n => $"sRefreshToken={new string('A', 150)}{n:D3}"));
        Assert.Equal(200, (await new TestBrowser(app.Url).SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={browser.Cookies["sRefreshToken"]}; {refresh}")).Status);
    }

    [Fact]
    public async Task A_sign_in_beside_tossed_cookies_clears_them_and_ends_their_sessions()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var attacker = app.NewBrowser();
        var planted = (await attacker.PostAsync("/sign-in?user=attacker")).Text;
        using var browser = app.NewBrowser();

        var answer = await browser.SendAsync("POST", $"/sign-in?user={_user}", cookie: $"sAccessToken=x; sAccessToken={attacker.Cookies["sAccessToken"]}");

        Assert.Equal(200, answer.Status);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={planted}")).Word);
        Assert.Contains(answer.SetCookie, line => line.StartsWith("sAccessToken=; Domain=.example.com; Path=/;", StringComparison.Ordinal));
        Assert.Contains(answer.SetCookie, line => line.StartsWith("sAccessToken=ey", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_change_of_domain_cookies_that_stay_twice_do_not_go_round_for_ever()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.OlderCookieDomain = ".example.com");
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var tossed = $"sRefreshToken=tossed; sRefreshToken={browser.Cookies["sRefreshToken"]}";

        var first = await new TestBrowser(app.Url).SendAsync("POST", "/auth/session/refresh", cookie: tossed);
        Assert.Equal(200, first.Status);
        var marker = Assert.Single(first.SetCookie, line => line.StartsWith("sOlderCookiesCleared=1;", StringComparison.Ordinal));
        var second = await new TestBrowser(app.Url).SendAsync("POST", "/auth/session/refresh", cookie: $"{tossed}; {marker.Split(';')[0]}");

        Assert.Equal((200, _user), (second.Status, second.Front["uid"]!.GetValue<string>()));
        var twice = $"sAccessToken=tossed; sAccessToken={browser.Cookies["sAccessToken"]}";
        Assert.Equal((401, TryRefresh), await Brief(browser.SendAsync("GET", "/me", cookie: twice)));
        Assert.Equal(200, (await browser.SendAsync("GET", "/me", cookie: $"{twice}; {marker.Split(';')[0]}")).Status);
        Assert.Contains(second.SetCookie, line => line.StartsWith("sRefreshToken=", StringComparison.Ordinal) && !line.StartsWith("sRefreshToken=;", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_cookie_of_an_older_sdk_that_a_sibling_tossed_disturbs_no_session()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        var tossed = $"sIdRefreshToken=x; sIdRefreshToken=y; sAccessToken={browser.Cookies["sAccessToken"]}";

        Assert.Equal(200, (await browser.SendAsync("GET", "/me", cookie: tossed)).Status);
        Assert.Equal(200, (await browser.SendAsync("GET", "/auth/verify", cookie: tossed)).Status);
        Assert.Equal(200, (await browser.SendAsync("POST", "/act", cookie: tossed)).Status);
        Assert.Equal(200, (await browser.SendAsync("POST", "/auth/signout", cookie: tossed)).Status);
        Assert.Equal(401, (await browser.SendAsync("GET", "/me", cookie: tossed)).Status);
    }

    [Fact]
    public async Task The_core_api_takes_seven_others_and_no_more()
    {
        var session = await core.CreateSessionAsync();
        var refreshToken = session["refreshToken"]!["token"]!.GetValue<string>();

        async Task<CoreAnswer> Refresh(object others) =>
            await core.PostAsync("/recipe/session/refresh", new { refreshToken = "x", enableAntiCsrf = false, useDynamicSigningKey = true, otherRefreshTokens = others });

        Assert.Equal(400, (await Refresh(Enumerable.Repeat("x", 8))).Status);
        Assert.Equal(400, (await Refresh("x")).Status);
        Assert.Equal(400, (await Refresh(new[] { 1 })).Status);
        Assert.Equal("UNAUTHORISED", (await Refresh(Enumerable.Repeat("x", 7))).Word);
        Assert.Equal("OK", (await Refresh(new[] { "y", refreshToken })).Word);
    }
}
