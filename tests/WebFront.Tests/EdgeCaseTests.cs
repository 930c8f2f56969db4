using System.Text.Json.Nodes;

namespace Grid.WebFront.Tests;

/// <summary>Corners of the protocol that the straight path does not show.</summary>
public sealed class EdgeCaseTests(CoreHost core)
{
    [Theory]
    [InlineData("5.4")]
    [InlineData("5.6")]
    public async Task Every_refresh_gives_the_refresh_token_a_whole_life(string version)
    {
        // Clients make it the life of a cookie: a shorter one signs out who comes back late but in time.
        var app = await core.CreateAppAsync(new { refresh_token_validity = 6000, access_token_validity = 60 });
        var session = await core.CreateSessionAsync(app, version: version);
        core.Clock.Skip(TimeSpan.FromHours(1));

        var refreshed = await core.RefreshAsync(app, Token(session, "refreshToken"), version);

        Assert.InRange(Life(refreshed.Json["refreshToken"]!), (6000 * 60_000) - 1000, (6000 * 60_000) + 1000);
    }

    [Fact]
    public async Task A_promotion_gives_an_access_token_of_whole_life()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 36_000, access_token_validity_jitter = 0.25 });
        var session = await core.CreateSessionAsync(app, version: "5.4");
        var child = await core.RefreshAsync(app, Token(session, "refreshToken"), "5.4");

        var promoted = await core.VerifyAsync(app, Token(child.Json, "accessToken"), checkDatabase: false, "5.4");

        Assert.Equal(36_000_000, Life(promoted.Json["accessToken"]!));
    }

    [Theory]
    [InlineData("5.4")]
    [InlineData("5.6")]
    public async Task Payloads_with_numbers_beyond_measure_are_compared_all_the_same(string version)
    {
        var created = await core.SendAsync(
            "POST", "/recipe/session", """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{"a":1e99999999999},"userDataInDatabase":{}}""", version);
        var handle = created.Json["session"]!["handle"];
        var put = await core.SendAsync("PUT", "/recipe/jwt/data", $$$"""{"sessionHandle":"{{{handle}}}","userDataInJWT":{"a":2e99999999999}}""", version);
        Assert.Equal("OK", put.Word);

        var verified = await core.VerifyAsync("", Token(created.Json, "accessToken"), checkDatabase: true, version);

        Assert.Equal("OK", verified.Word);
        Assert.Contains(version == "5.4" ? "2e99999999999" : "\"payloadUpdateAvailable\":true", verified.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removing_a_user_ends_the_users_sessions_in_every_tenant()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var here = await core.CreateSessionAsync(app, "gone");
        var there = await core.CreateSessionAsync($"{app}/t1", "gone");
        var other = await core.CreateSessionAsync(app, "stays");

        Assert.Equal("""{"status":"OK"}""", (await core.PostAsync($"{app}/user/remove", new { userId = "gone", removeAllLinkedAccounts = true })).Text);

        foreach (var (session, word) in new[] { (here, "UNAUTHORISED"), (there, "UNAUTHORISED"), (other, "OK") })
        {
            Assert.Equal(word, (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={session["session"]!["handle"]}")).Word);
        }

        Assert.Equal("400 Field name 'userId' is invalid in JSON input\n", (await core.PostAsync($"{app}/user/remove", new { })).Word);
    }

    [Fact]
    public async Task A_user_id_in_a_query_that_is_too_long_is_not_called_json() =>
        Assert.Equal("400 Field name 'userId' is invalid in GET request\n", (await core.SendAsync("GET", $"/recipe/session/user?userId={new string('x', 129)}")).Word);

    [Theory]
    [InlineData("1e99999999999")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("\"1\"")]
    public async Task Validities_that_are_no_life_are_refused(string number)
    {
        Assert.Equal(400, (await core.PostAsync("/recipe/jwt", $$$"""{"payload":{},"validity":{{{number}}},"algorithm":"RS256","jwksDomain":"x"}""")).Status);
        Assert.Equal(400, (await core.PostAsync(
            "/recipe/session", $$$"""{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"accessTokenValidity":{{{number}}}}""", "5.6")).Status);
    }

    [Theory]
    [InlineData("access_token_validity", "1e99999999999")]
    [InlineData("refresh_token_validity", "1e308")]
    [InlineData("refresh_token_validity", "99999999999999999999")]
    [InlineData("access_token_dynamic_signing_key_update_interval", "1e-300")]
    [InlineData("access_token_validity_jitter", "-0.0001")]
    [InlineData("ip_deny_regex", "\"(a)\\\\1\"")]
    [InlineData("ip_deny_regex", "\"(?<=a)b\"")]
    [InlineData("api_keys", "7")]
    public async Task Settings_that_cannot_be_kept_are_refused_by_name(string key, string value)
    {
        var put = await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", $$$"""{"appId":"{{{Guid.NewGuid()}}}","coreConfig":{"{{{key}}}":{{{value}}}}}""");
        Assert.Equal(400, put.Status);
        Assert.StartsWith("Invalid core config: ", put.Text, StringComparison.Ordinal);
        Assert.Contains(key, put.Text, StringComparison.Ordinal);
    }

    private static string Token(JsonObject answer, string name) => answer[name]!["token"]!.GetValue<string>();

    private static long Life(JsonNode token) => token["expiry"]!.GetValue<long>() - token["createdTime"]!.GetValue<long>();
}
