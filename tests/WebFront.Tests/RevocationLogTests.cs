using Grid.WebFront.Core;

namespace Grid.WebFront.Tests;

/// <summary>Each revocation leaves one line that says what, where, whose, why, who asked, and what stands behind it.</summary>
public sealed class RevocationLogTests(CoreHost core)
{
    private const string Key = "abcdefghijklmnopqrstuvwxyz";
    private const string Receipt = "position [0-9]+, confirmed by [0-9]+, waited out [0-9]+, excluded 0, [0-9]+ ms$";

    private static string Actor { get; } = CoreActor.IdOf(Key);

    [Fact]
    public async Task Every_way_to_revoke_leaves_one_line()
    {
        var app = await core.CreateAppAsync(new { api_keys = Key });
        var appId = app["/appid-".Length..];
        await SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var one = await CreateAsync(app);
        var user = "bob\r\nRevoked app: forged";
        await CreateAsync(app, user);

        await AssertLineAsync($"^Revoked session {one}: app {appId}, tenant public, user -, reason Requested, by {Actor}, sessions 1; ", $"{app}/recipe/session/remove", new { sessionHandles = new[] { one } });
        await AssertLineAsync($"^Revoked session {one}: app {appId}, tenant public, user -, reason SignedOut, by {Actor}, sessions 0; ", $"{app}/session/revoke", new { sessionHandles = new[] { one }, reason = "SIGNED_OUT" });
        await AssertLineAsync($"^Revoked user: app {appId}, tenant \\*, user \"bob\\\\u000d\\\\u000aRevoked app: forged\", reason Requested, by {Actor}, sessions 1; ", $"{app}/recipe/session/remove", new { userId = user });
        await AssertLineAsync($"^Revoked user: app {appId}, tenant t1, user \"bob\", reason Requested, by {Actor}, sessions 0; ", $"{app}/t1/session/revoke", new { userId = "bob", revokeAcrossAllTenants = false });
        await AssertLineAsync($"^Revoked user: app {appId}, tenant \\*, user \"\", reason Requested, by {Actor}, sessions 0; ", $"{app}/user/remove", new { userId = "" });
        await AssertLineAsync($"^Revoked tenant: app {appId}, tenant t1, user -, reason Requested, by {Actor}, sessions all; ", $"{app}/t1/session/revoke", new { allOfTenant = true });
        await AssertLineAsync($"^Revoked app: app {appId}, tenant \\*, user -, reason Requested, by {Actor}, sessions all; ", $"{app}/session/revoke", new { allOfApp = true });
        var kid = (await core.SendAsync("GET", $"{app}/.well-known/jwks.json")).Json["keys"]![0]!["kid"]!.GetValue<string>();
        await AssertLineAsync($"^Revoked signing key {kid}: app {appId}, tenant \\*, user -, reason KeyRevoked, by {Actor}, sessions all; ", $"{app}/session/revoke", new { signingKey = kid });
        await AssertLineAsync($"^Revoked tenant: app {appId}, tenant t1, user -, reason TenantRemoved, by {Actor}, sessions all; ", $"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" });
        await AssertLineAsync($"^Revoked app: app {appId}, tenant \\*, user -, reason AppRemoved, by no key, sessions all; ", "/recipe/multitenancy/app/remove", new { appId }, key: null);
        Assert.DoesNotContain(core.Log.Lines, line => line.Text.Contains(Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reused_token_is_told_with_its_user_once()
    {
        var app = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0 });
        var appId = app["/appid-".Length..];
        var session = await core.CreateSessionAsync(app, "mallory's victim");
        var (handle, token) = ($"{session["session"]!["handle"]}", $"{session["refreshToken"]!["token"]}");
        await core.RefreshAsync(app, token);
        core.Clock.Skip(TimeSpan.FromSeconds(5));

        Assert.Equal("TOKEN_THEFT_DETECTED", (await core.RefreshAsync(app, token)).Word);

        Assert.Equal(
            $"Refresh token reused on session {handle} (RecentPrevious): app {appId}, tenant public, user \"mallory's victim\"; the session ends",
            Assert.Single(core.Log.Lines, line => line.Id == 2100 && line.Text.Contains(handle, StringComparison.Ordinal)).Text);
        Assert.Matches(
            $"^Revoked session {handle}: app {appId}, tenant public, user -, reason RefreshTokenReuse, by reuse, sessions 1; {Receipt}",
            Assert.Single(core.Log.Lines, line => line.Id == 3300 && line.Text.Contains(handle, StringComparison.Ordinal)).Text);
    }

    [Fact]
    public async Task The_front_says_whether_somebody_signed_out_or_was_replaced()
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        var first = await SignInAsync(browser);
        var second = await SignInAsync(browser);
        await browser.PostAsync("/auth/signout");

        Assert.Matches($"reason Replaced, by front, sessions 1; {Receipt}", Line(first));
        Assert.Matches($"reason SignedOut, by front, sessions 1; {Receipt}", Line(second));
    }

    private string Line(string handle) => Assert.Single(core.Log.Lines, line => line.Id == 3300 && line.Text.Contains(handle, StringComparison.Ordinal)).Text;

    private async Task AssertLineAsync(string expected, string path, object body, string? key = Key)
    {
        var before = core.Log.Count(3300);
        Assert.Equal("OK", (await SendAsync("POST", path, body, key)).Word);
        Assert.Matches(expected + Receipt, Assert.Single(core.Log.Lines.Where(line => line.Id == 3300).Skip(before)).Text);
    }

    private Task<CoreAnswer> SendAsync(string method, string path, object body, string? key = Key) =>
        key is null ? core.SendAsync(method, path, body) : core.SendAsync(method, path, body, null, ("api-key", key));

    private async Task<string> CreateAsync(string app, string userId = "u") => (await SendAsync(
        "POST", $"{app}/recipe/session", new { userId, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } })).Json["session"]!["handle"]!.GetValue<string>();

    private async Task<string> SignInAsync(TestBrowser browser)
    {
        var ordered = await core.PostAsync("/session/ticket", new { userId = "log" });
        Assert.Equal(200, (await browser.PostAsync("/auth/session/ticket", new { ticket = ordered.Json["ticket"]!.GetValue<string>() }, ("rid", "session"))).Status);
        return ordered.Json["sessionHandle"]!.GetValue<string>();
    }
}
