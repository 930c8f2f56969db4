using static Grid.HostKit.Answers;

namespace Grid.WebFront.Tests.Front;

/// <summary>The front that lives in the silo: discovery, CORS, forward-auth, tickets, first page.</summary>
public sealed class SiloFrontTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_ticket_becomes_a_session_once()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var ordered = await core.PostAsync("/session/ticket", new { userId = _user, userDataInJWT = new { role = "admin" }, userDataInDatabase = new { secret = "for back ends" } });
        Assert.Equal("OK", ordered.Word);
        var ticket = ordered.Json["ticket"]!.GetValue<string>();
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={ordered.Json["sessionHandle"]}")).Word);

        Assert.Equal(400, (await browser.PostAsync("/auth/session/ticket", new { ticket })).Status);
        var answer = await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"));

        Assert.Equal((200, $$"""{"status":"OK","userId":"{{_user}}"}"""), (answer.Status, answer.Text));
        Assert.Equal("set; Path=/auth/session/refresh; Expires=100 days; HttpOnly; SameSite=Lax", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()));
        Assert.Equal("admin", answer.Front["up"]!["role"]!.GetValue<string>());
        var session = await core.SendAsync("GET", $"/recipe/session?sessionHandle={ordered.Json["sessionHandle"]}");
        Assert.Equal("for back ends", session.Json["userDataInDatabase"]!["secret"]!.GetValue<string>());
        Assert.Equal(200, (await browser.GetAsync("/auth/verify")).Status);

        Assert.Equal(401, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
        await browser.PostAsync("/auth/signout");
        Assert.Equal(401, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
    }

    [Theory]
    [InlineData("userId")]
    [InlineData("userId of the tenant")]
    [InlineData("allOfTenant")]
    [InlineData("allOfApp")]
    public async Task A_used_ticket_brings_no_revoked_session_back(string scope)
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        var ticket = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        var signedIn = await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"));
        var accessToken = signedIn.Header("st-access-token")!;

        await RevokeAsync(scope);
        var again = await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"));

        Assert.Equal((200, 401), (signedIn.Status, again.Status));
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync("", accessToken)).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync("", accessToken, checkDatabase: true)).Word);
    }

    [Theory]
    [InlineData("userId")]
    [InlineData("userId of the tenant")]
    [InlineData("allOfTenant")]
    [InlineData("allOfApp")]
    [InlineData("sessionHandles")]
    public async Task A_revocation_between_order_and_use_voids_the_ticket(string scope)
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var ordered = await core.PostAsync("/session/ticket", new { userId = _user });
        var ticket = ordered.Json["ticket"]!.GetValue<string>();

        await RevokeAsync(scope, ordered.Json["sessionHandle"]!.GetValue<string>());

        Assert.Equal(401, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
        var fresh = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        Assert.Equal(200, (await browser.PostAsync("/auth/session/ticket", new { ticket = fresh }, ("rid", "session"))).Status);
    }

    [Fact]
    public async Task No_ticket_is_handed_out_while_the_store_is_away()
    {
        core.Store.TakeAway("public");
        try
        {
            Assert.Equal(503, (await core.PostAsync("/session/ticket", new { userId = _user })).Status);
        }
        finally
        {
            core.Store.GiveBack("public");
        }
    }

    [Fact]
    public async Task Many_at_once_with_one_ticket_get_one_session()
    {
        var ticket = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => new TestBrowser(core.FrontUrl).PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))));

        Assert.Equal(1, answers.Count(a => a.Status == 200));
        Assert.All(answers, a => Assert.True(a.Status is 200 or 401 or 503));
    }

    [Fact]
    public async Task A_ticket_is_good_for_a_minute_for_its_app_and_unchanged()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var other = await core.CreateAppAsync();
        var foreign = (await core.PostAsync($"{other}/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        var old = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        var changed = old[..^2] + (old[^2] == 'A' ? "BA" : "AA");
        core.Clock.Skip(TimeSpan.FromSeconds(61));

        foreach (var ticket in (string[])[foreign, old, changed, "", "garbage", new string('A', 13_000)])
        {
            Assert.Equal(401, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
        }

        foreach (var body in (string[])["", "{", "[]", "null", """{"ticket":1}""", """{"ticket":"\ud800"}"""])
        {
            Assert.Equal(400, (await browser.PostAsync("/auth/session/ticket", body, ("rid", "session"))).Status);
        }

        Assert.Equal(413, (await browser.PostAsync("/auth/session/ticket", new { ticket = new string('A', 20_000) }, ("rid", "session"))).Status);
        Assert.Equal(400, (await core.PostAsync("/session/ticket", new { userId = _user, userDataInJWT = new { a = new string('x', 10_000) } })).Status);
        Assert.Equal(400, (await core.PostAsync("/session/ticket", new { userId = _user, userDataInJWT = new { sub = "x" } })).Status);
    }

    [Fact]
    public async Task Forward_auth_tells_the_proxy_who_it_is()
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        var user = _user + " ä%\r\nX-Evil: 1";
        var handle = await SignInAsync(browser, user, new { role = "admin", plan = new { v = "gold", t = 1 } });

        var answer = await browser.GetAsync("/auth/verify");

        Assert.Equal((200, ""), (answer.Status, answer.Text));
        Assert.Equal(Uri.EscapeDataString(user).Replace("%3A", ":", StringComparison.Ordinal), answer.Header("X-Grid-User"));
        Assert.Equal((handle, "public", "admin"), (answer.Header("X-Grid-Session"), answer.Header("X-Grid-Tenant"), answer.Header("X-Grid-Claim-role")));
        Assert.Null(answer.Header("X-Evil"));
        Assert.Equal(200, (await browser.GetAsync("/auth/verify?require=role:admin&require=plan:gold")).Status);
        var refused = await browser.GetAsync("/auth/verify/deep/path?require=role:owner");
        Assert.Equal((403, """{"message":"invalid claim","claimValidationErrors":[{"id":"role","reason":{"message":"wrong value","expectedValue":"owner","actualValue":"admin"}}]}"""), (refused.Status, refused.Text));
        Assert.Equal(refused.Text, refused.Header("X-Grid-Error"));
        Assert.Null(refused.Header("X-Grid-User"));
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.GetAsync("/auth/verify")));
        Assert.Equal((401, """{"message":"unauthorised"}"""), await Brief(new TestBrowser(core.FrontUrl).GetAsync("/auth/verify")));
    }

    [Fact]
    public async Task Keys_and_configuration_are_published()
    {
        using var browser = new TestBrowser(core.FrontUrl);

        var configuration = await browser.GetAsync("/auth/.well-known/openid-configuration");
        var keys = await browser.GetAsync("/auth/jwt/jwks.json");

        Assert.Equal("""{"issuer":"http://localhost:8080/auth","jwks_uri":"http://localhost:8080/auth/jwt/jwks.json"}""", configuration.Text);
        Assert.Equal((await core.SendAsync("GET", "/.well-known/jwks.json")).Text, keys.Text);
        Assert.Matches("^must-revalidate, max-age=[0-9]+$", keys.Response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task Cors_lets_in_the_configured_origin_with_credentials_and_no_other()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var preflight = await browser.SendAsync("OPTIONS", "/auth/session/refresh", headers:
        [
            ("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "anti-csrf,authorization,content-type,fdi-version,rid,st-auth-mode"),
        ]);
        Assert.Equal(204, preflight.Status);
        Assert.Equal(("http://localhost:3000", "true"), (preflight.Header("Access-Control-Allow-Origin"), preflight.Header("Access-Control-Allow-Credentials")));

        var mine = await browser.PostAsync("/auth/session/refresh", null, ("Origin", "http://localhost:3000"));
        Assert.Equal("http://localhost:3000", mine.Header("Access-Control-Allow-Origin"));
        Assert.Contains("front-token", mine.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
        var foreign = await browser.PostAsync("/auth/session/refresh", null, ("Origin", "http://localhost:3001"));
        Assert.Null(foreign.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Refresh_and_sign_out_work_in_process()
    {
        using var browser = new TestBrowser(core.FrontUrl);
        var handle = await SignInAsync(browser, _user, new { });

        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.PostAsync("/auth/t1/session/refresh")).Status);
        Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word);
        Assert.Equal(401, (await browser.RefreshAsync()).Status);
        var ticket = (await core.PostAsync("/session/ticket", new { userId = _user })).Json["ticket"]!.GetValue<string>();
        core.Store.TakeAway("public");
        try
        {
            Assert.Equal(503, (await browser.PostAsync("/auth/session/ticket", new { ticket }, ("rid", "session"))).Status);
        }
        finally
        {
            core.Store.GiveBack("public");
        }
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("GET", "/recipe/session", 404)]
    [InlineData("GET", "/auth/session/refresh", 405)]
    [InlineData("DELETE", "/auth/signout", 405)]
    public async Task What_is_not_there_says_so_and_the_core_api_is_not_behind_this_door(string method, string path, int expected)
    {
        using var browser = new TestBrowser(core.FrontUrl);

        Assert.Equal(expected, (await browser.SendAsync(method, path)).Status);
    }

    [Fact]
    public async Task The_first_page_shows_two_sessions_ending_and_lets_no_script_in()
    {
        using var page = new TestBrowser(core.FrontUrl);
        var html = await page.GetAsync("/");
        Assert.Contains("data-base=\"/auth\"", html.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?! src=\"/)|<style| style=|https?://(?!127)", html.Text);
        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            html.Header("Content-Security-Policy"));
        Assert.Equal(("nosniff", "no-referrer"), (html.Header("X-Content-Type-Options"), html.Header("Referrer-Policy")));

        using var left = new TestBrowser(core.FrontUrl, "header");
        using var right = new TestBrowser(core.FrontUrl, "header");
        Assert.Equal(400, (await left.PostAsync("/first-page/session")).Status);
        await left.PostAsync("/first-page/session", null, ("rid", "session"));
        await right.PostAsync("/first-page/session", null, ("rid", "session"));
        Assert.Equal((200, 200), ((await left.GetAsync("/auth/verify")).Status, (await right.GetAsync("/auth/verify")).Status));
        Assert.Equal(2, (await page.PostAsync("/first-page/end-all", null, ("rid", "session"))).Json["ended"]!.GetValue<int>());
        Assert.Equal((401, 401), ((await left.GetAsync("/auth/verify")).Status, (await right.GetAsync("/auth/verify")).Status));
    }

    private async Task RevokeAsync(string scope, string handle = "") => Assert.Equal("OK", (await core.PostAsync("/session/revoke", scope switch
    {
        "userId" => new { userId = _user },
        "userId of the tenant" => new { userId = _user, revokeAcrossAllTenants = false },
        "allOfTenant" => new { allOfTenant = true },
        "allOfApp" => new { allOfApp = true },
        _ => (object)new { sessionHandles = new[] { handle } },
    })).Word);

    // A user id may hold anything; the core API takes it as JSON.
    private async Task<string> SignInAsync(TestBrowser browser, string user, object payload)
    {
        var ordered = await core.PostAsync("/session/ticket", new { userId = user, userDataInJWT = payload });
        Assert.Equal(200, (await browser.PostAsync("/auth/session/ticket", new { ticket = ordered.Json["ticket"]!.GetValue<string>() }, ("rid", "session"))).Status);
        return ordered.Json["sessionHandle"]!.GetValue<string>();
    }
}
