using System.Text.Json.Nodes;

namespace Grid.WebFront.Tests;

/// <summary>The longest life of a session, whichever protocol version refreshes it.</summary>
public sealed class LifetimeTests(CoreHost core)
{
    [Theory]
    [InlineData("5.4")]
    [InlineData("5.6")]
    public async Task A_session_ends_with_its_longest_lifetime_however_often_it_is_refreshed(string version)
    {
        var app = await core.CreateAppAsync(new { session_max_lifetime = 60, access_token_validity = 2400, refresh_token_validity = 45 });
        var made = await core.CreateSessionAsync(app, version: version);
        var (createdAt, token) = (Number(made, "refreshToken", "createdTime"), $"{made["refreshToken"]!["token"]}");
        var end = createdAt + 60 * 60_000;
        Assert.Equal(createdAt + 45 * 60_000, Number(made, "refreshToken", "expiry"));

        // 30 minutes later 45 more would be too many; the access token ends no later than the session.
        core.Clock.Skip(TimeSpan.FromMinutes(30));
        var refreshed = await core.RefreshAsync(app, token, version);
        Assert.Equal("OK", refreshed.Word);
        Assert.Equal(end, Number(refreshed.Json, "refreshToken", "expiry"));
        Assert.InRange(Number(refreshed.Json, "accessToken", "expiry"), end - 1_000, end);
        var access = $"{refreshed.Json["accessToken"]!["token"]}";
        Assert.Equal("OK", (await core.VerifyAsync(app, access, checkDatabase: true, version)).Word);
        Assert.Equal(end, Number((await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={made["session"]!["handle"]}")).Json, "expiry"));

        core.Clock.Skip(TimeSpan.FromMinutes(31));
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, $"{refreshed.Json["refreshToken"]!["token"]}", version)).Word);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={made["session"]!["handle"]}")).Word);
    }

    [Fact]
    public async Task A_session_that_a_shorter_lifetime_finds_too_old_is_revoked_at_its_next_refresh()
    {
        var app = await core.CreateAppAsync();
        var made = await core.CreateSessionAsync(app);
        core.Clock.Skip(TimeSpan.FromMinutes(90));
        var longer = await core.RefreshAsync(app, $"{made["refreshToken"]!["token"]}");
        Assert.Equal("OK", longer.Word);

        var change = new { appId = app["/appid-".Length..], coreConfig = new { session_max_lifetime = 60 } };
        Assert.Equal("OK", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", change)).Word);
        core.Clock.Skip(TimeSpan.FromSeconds(10));

        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, $"{longer.Json["refreshToken"]!["token"]}")).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, $"{longer.Json["accessToken"]!["token"]}")).Word);
        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={made["session"]!["handle"]}")).Word);
        Assert.Equal("""{"status":"OK","sessionHandles":[]}""", (await core.SendAsync("GET", $"{app}/recipe/session/user?userId=u1")).Text);
    }

    private static long Number(JsonNode? json, params string[] path) => path.Aggregate(json, (node, name) => node![name])!.GetValue<long>();
}
