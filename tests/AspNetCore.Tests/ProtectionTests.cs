using Grid.AspNetCore.Claims;
using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>Endpoints behind <c>AddGrid()</c>.</summary>
public sealed class ProtectionTests(CoreHost core)
{
    private const string TryRefresh = """{"message":"try refresh token"}""";

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("cookie")]
    [InlineData("header")]
    public async Task A_session_opens_and_its_absence_or_end_closes(string mode)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser(mode);
        var before = await browser.GetAsync("/me");
        Assert.Equal((401, """{"message":"unauthorised"}"""), (before.Status, before.Text));
        Assert.Empty(before.SetCookie);
        Assert.Equal("nobody", (await browser.GetAsync("/open")).Text);

        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        Assert.Equal($"{_user} {_user} True", (await browser.GetAsync("/me")).Text);
        Assert.Equal(_user, (await browser.GetAsync("/open")).Text);

        await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } });
        var bearer = browser.AccessToken;
        AssertCleared(await browser.GetAsync("/me"), """{"message":"unauthorised"}""");
        Assert.Equal("nobody", (await browser.SendAsync("GET", "/open", bearer: bearer)).Text);
    }

    [Fact]
    public async Task Without_the_check_a_revoked_session_is_taken_until_its_token_expires()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.CheckEachRequest = false);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } });

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/me")));
    }

    [Theory]
    [InlineData("not.a.token", """{"message":"unauthorised"}""")]
    [InlineData("eyJraWQiOiJkLTEiLCJ0eXAiOiJKV1QiLCJ2ZXJzaW9uIjoiNSIsImFsZyI6IlJTMjU2In0.e30.AAAA", TryRefresh)]
    [InlineData("eyJhbGciOiJub25lIn0.e30.AAAA", """{"message":"unauthorised"}""")]
    public async Task Foreign_and_forged_tokens_are_told_apart(string token, string expected)
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        Assert.Equal((401, expected), await Brief(browser.SendAsync("GET", "/me", bearer: token)));
        Assert.Equal((401, expected), await Brief(browser.SendAsync("GET", "/me", cookie: "sAccessToken=" + token)));
    }

    [Fact]
    public async Task An_application_s_own_bearer_token_does_not_hide_the_cookie()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(200, (await browser.SendAsync("GET", "/me", bearer: "my-own-api-token")).Status);
    }

    [Fact]
    public async Task Anti_csrf_is_asked_of_requests_that_change_something()
    {
        await using var viaToken = await ClientApp.StartAsync(core, o => o.AntiCsrf = AntiCsrfMode.ViaToken);
        using var browser = viaToken.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(200, (await browser.GetAsync("/me")).Status);
        Assert.Equal((401, TryRefresh), await Brief(browser.PostAsync("/act")));
        Assert.Equal((401, TryRefresh), await Brief(browser.PostAsync("/act", null, ("anti-csrf", "wrong"))));
        Assert.Equal(200, (await browser.PostAsync("/act", null, ("anti-csrf", browser.AntiCsrf!))).Status);
        Assert.Equal(200, (await browser.PostAsync("/unguarded")).Status);
        Assert.Equal(200, (await browser.SendAsync("POST", "/act", bearer: browser.Cookies["sAccessToken"], cookie: "")).Status);

        await using var viaHeader = await ClientApp.StartAsync(core, o => o.AntiCsrf = AntiCsrfMode.ViaCustomHeader);
        using var other = viaHeader.NewBrowser();
        await other.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((401, TryRefresh), await Brief(other.PostAsync("/act")));
        Assert.Equal(200, (await other.PostAsync("/act", null, ("rid", "anti-csrf"))).Status);
    }

    [Fact]
    public async Task A_page_on_an_unknown_origin_meets_the_strictest_rule()
    {
        await using var app = await ClientApp.StartAsync(core, o => o.WebsiteDomains.Add("https://elsewhere.org"));
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}", null, ("Origin", "https://app.example.com"));

        Assert.Equal(200, (await browser.PostAsync("/act", null, ("Origin", "https://app.example.com"))).Status);
        Assert.Equal((401, TryRefresh), await Brief(browser.PostAsync("/act", null, ("Origin", "https://attacker.example"))));
        Assert.Equal((401, TryRefresh), await Brief(browser.PostAsync("/act", null, ("Origin", "https://elsewhere.org"))));
    }

    [Fact]
    public async Task A_claim_fails_with_its_reason_and_can_be_mended()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");
        const string Problem = """{"message":"invalid claim","claimValidationErrors":[{"id":"email-verified","reason":{"message":"value does not exist","expectedValue":true}}]}""";

        Assert.Equal((403, Problem), await Brief(browser.GetAsync("/verified")));
        Assert.Equal((403, Problem), await Brief(browser.PostAsync("/assert")));
        var mended = await browser.PostAsync("/verify-email");
        Assert.Equal("set", mended.Text);
        Assert.True(mended.Front["up"]!["email-verified"]!["v"]!.GetValue<bool>());
        Assert.InRange(mended.Front["up"]!["email-verified"]!["t"]!.GetValue<long>(), 1, long.MaxValue);
        Assert.Equal("in", (await browser.GetAsync("/verified")).Text);
        Assert.Equal("in", (await browser.PostAsync("/assert")).Text);
        await browser.RefreshAsync();
        Assert.Equal("in", (await browser.GetAsync("/verified")).Text);
    }

    [Fact]
    public async Task General_validators_fetch_their_claim_and_hold_everywhere()
    {
        var roles = new Dictionary<string, string[]> { [_user] = ["reader"] };
        var fetched = 0;
        var claim = new PrimitiveArrayClaim<string>("st-role", (whose, _) =>
        {
            Interlocked.Increment(ref fetched);
            return new ValueTask<IReadOnlyList<string>?>(roles[whose.UserId]);
        }, TimeSpan.FromMinutes(5));
        await using var app = await ClientApp.StartAsync(core, o => o.ClaimValidators.Add(claim.Includes("admin")));
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        var refused = await browser.GetAsync("/me");
        Assert.Equal((403, """{"message":"invalid claim","claimValidationErrors":[{"id":"st-role","reason":{"message":"wrong value","expectedToInclude":"admin","actualValue":["reader"]}}]}"""), (refused.Status, refused.Text));
        Assert.Equal(403, (await browser.GetAsync("/admin")).Status);
        Assert.Equal(1, fetched);
        roles[_user] = ["reader", "admin"];
        core.Clock.Skip(TimeSpan.FromMinutes(6));
        Assert.Equal(200, (await browser.GetAsync("/admin")).Status);
        Assert.Equal(2, fetched);
        Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
    }

    [Fact]
    public async Task Roles_become_claims_of_the_principal()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var admin = app.NewBrowser();
        using var reader = app.NewBrowser();
        await admin.PostAsync($"/sign-in?user={_user}&role=admin");
        await reader.PostAsync($"/sign-in?user={_user}&role=reader");

        Assert.Equal("in", (await admin.GetAsync("/admin")).Text);
        Assert.Equal(403, (await reader.GetAsync("/admin")).Status);
    }

    [Fact]
    public async Task Payload_and_data_can_be_changed()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}&email=a@b.c");

        var merged = await browser.PostAsync("/merge");
        Assert.Equal("""{"iss":"https://api.example.com/auth","plan":"gold"}""", merged.Text);
        Assert.Equal("gold", merged.Front["up"]!["plan"]!.GetValue<string>());
        Assert.Null(merged.Front["up"]!["email"]);
        Assert.StartsWith("set; ", merged.Cookie("sAccessToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
        Assert.Equal("""{"cart":2} True public""", (await browser.GetAsync("/stored")).Text);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task A_session_that_ends_while_its_request_runs_is_answered_like_any_other(string environment)
    {
        await using var app = await ClientApp.StartAsync(core, o => o.CheckEachRequest = false, environment);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        await core.PostAsync("/recipe/session/remove", new { sessionHandles = new[] { handle } });

        AssertCleared(await browser.PostAsync("/merge"), """{"message":"unauthorised"}""");
    }

    [Fact]
    public async Task Revoking_clears_the_browser_too()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;

        var left = await browser.PostAsync("/leave");

        Assert.Equal(("bye", "remove"), (left.Text, left.Header("front-token")));
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}")).Word);
    }

    [Fact]
    public async Task A_new_session_replaces_the_one_that_was_there()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();
        var planted = (await browser.PostAsync("/sign-in?user=attacker")).Text;

        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal($"{_user} {_user} True", (await browser.GetAsync("/me")).Text);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={planted}")).Word);
    }

    [Fact]
    public async Task Status_codes_can_be_chosen()
    {
        await using var app = await ClientApp.StartAsync(core, o => (o.SessionExpiredStatusCode, o.InvalidClaimStatusCode) = (440, 441));
        using var browser = app.NewBrowser();

        Assert.Equal(440, (await browser.GetAsync("/me")).Status);
        await browser.PostAsync($"/sign-in?user={_user}");
        Assert.Equal(441, (await browser.GetAsync("/verified")).Status);
    }

    [Fact]
    public async Task A_cookie_that_browsers_would_drop_is_refused_where_it_is_made()
    {
        await using var app = await ClientApp.StartAsync(core);
        using var browser = app.NewBrowser();

        var answer = await browser.PostAsync($"/sign-in?user={_user}&email={new string('x', 4000)}");

        Assert.Equal(400, answer.Status);
        Assert.DoesNotContain(answer.SetCookie, line => line.Length > 4096);
    }
}
