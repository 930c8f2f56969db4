using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.WebFront.Tests;

/// <summary><c>POST /session/revoke</c>: everything that can be revoked, each time with a receipt, each time dead at once.</summary>
public sealed class RevokeWireTests(CoreHost core)
{
    [Fact]
    public async Task A_revoked_session_is_refused_at_once_by_a_process_that_knew_it_and_its_neighbour_is_not()
    {
        var app = await core.CreateAppAsync();
        var (session, other) = (await core.CreateSessionAsync(app), await core.CreateSessionAsync(app));
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(session))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(other))).Word);

        var answer = await core.PostAsync($"{app}/session/revoke", new { sessionHandles = new[] { Handle(session) } });

        AssertReceipt(answer, Handle(session));
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Access(session))).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Access(session), version: "5.4")).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(other))).Word);
    }

    [Fact]
    public async Task All_sessions_of_a_user_but_the_callers_own()
    {
        var app = await core.CreateAppAsync();
        var (own, other, stranger) = (await core.CreateSessionAsync(app, "u"), await core.CreateSessionAsync(app, "u"), await core.CreateSessionAsync(app, "v"));
        Assert.All(await Task.WhenAll(new[] { own, other, stranger }.Select(s => core.VerifyAsync(app, Access(s)))), answer => Assert.Equal("OK", answer.Word));

        var answer = await core.PostAsync($"{app}/session/revoke", new { userId = "u", exceptSessionHandle = Handle(own) });

        AssertReceipt(answer, Handle(other));
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Access(other))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(own))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(stranger))).Word);
    }

    [Theory]
    [InlineData("allOfTenant")]
    [InlineData("allOfApp")]
    public async Task Everything_of_a_tenant_or_an_app_ends_and_what_is_made_later_lives(string kind)
    {
        var (app, elsewhere) = (await core.CreateAppAsync(), await core.CreateAppAsync());
        var (session, other) = (await core.CreateSessionAsync(app), await core.CreateSessionAsync(elsewhere));
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(session))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(elsewhere, Access(other))).Word);

        AssertReceipt(await core.PostAsync($"{app}/session/revoke", new JsonObject { [kind] = true }));
        var later = await core.CreateSessionAsync(app);

        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Access(session))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(later))).Word);
        Assert.Equal("OK", (await core.VerifyAsync(elsewhere, Access(other))).Word);
    }

    [Fact]
    public async Task Tokens_of_a_revoked_key_are_worthless_and_the_next_key_signs_at_once()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app);
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(session))).Word);
        var kid = Kid(Access(session));

        AssertReceipt(await core.PostAsync($"{app}/session/revoke", new { signingKey = kid }));
        var refused = await core.VerifyAsync(app, Access(session));
        var refreshed = await core.RefreshAsync(app, $"{session["refreshToken"]!["token"]}");

        Assert.Equal("TRY_REFRESH_TOKEN", refused.Word);
        Assert.Equal("OK", refreshed.Word);
        Assert.NotEqual(kid, Kid(Access(refreshed.Json)));
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(refreshed.Json))).Word);
        Assert.DoesNotContain(kid, (await core.SendAsync("GET", $"{app}/.well-known/jwks.json")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removing_a_tenant_ends_its_sessions_where_they_were_known()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var session = await core.CreateSessionAsync($"{app}/t1");
        Assert.Equal("OK", (await core.VerifyAsync(app, Access(session))).Word);

        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Word);

        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, Access(session))).Word);
    }

    [Fact]
    public async Task A_session_that_is_not_there_gets_a_receipt_all_the_same()
    {
        // It may be the repetition of a revocation whose answer was lost.
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app);
        await core.PostAsync($"{app}/session/revoke", new { sessionHandles = new[] { Handle(session) } });

        AssertReceipt(await core.PostAsync($"{app}/session/revoke", new { sessionHandles = new[] { Handle(session) } }));
    }

    [Theory]
    [InlineData("""{}""", 400, "Invalid JSON input - use exactly one of sessionHandles, userId, allOfTenant, allOfApp, signingKey")]
    [InlineData("""{"userId":"u","allOfApp":true}""", 400, "Invalid JSON input - use exactly one of sessionHandles, userId, allOfTenant, allOfApp, signingKey")]
    [InlineData("""{"sessionHandles":"x"}""", 400, "Field name 'sessionHandles' is invalid in JSON input")]
    [InlineData("""{"userId":"u","exceptSessionHandle":"x"}""", 400, "Field name 'exceptSessionHandle' is invalid in JSON input")]
    [InlineData("""{"allOfApp":false}""", 400, "Field name 'allOfApp' must be true")]
    [InlineData("""{"signingKey":"d-none"}""", 400, "Field name 'signingKey' must be the kid of one of the app's keys, as its JWKS lists them")]
    public async Task Bad_input_is_refused_with_the_repair(string body, int status, string text)
    {
        var answer = await core.PostAsync($"{await core.CreateAppAsync()}/session/revoke", body);
        Assert.Equal((status, text + "\n"), (answer.Status, answer.Text));
    }

    private static void AssertReceipt(CoreAnswer answer, params string[] handles)
    {
        Assert.Equal("OK", answer.Word);
        Assert.Equal(handles, answer.Json["sessionHandlesRevoked"]!.AsArray().Select(handle => (string)handle!));
        Assert.True((long)answer.Json["position"]! > 0);
        Assert.True((double)answer.Json["milliseconds"]! > 0);

        // At least the silo itself; services of other tests come and go.
        Assert.InRange((int)answer.Json["holders"]!["confirmed"]!, 1, 100);
        Assert.NotNull(answer.Json["holders"]!["waitedOut"]);
        Assert.Equal(0, (int)answer.Json["holders"]!["excluded"]!);
    }

    private static string Access(JsonObject session) => $"{session["accessToken"]!["token"]}";

    private static string Handle(JsonObject session) => $"{session["session"]!["handle"]}";

    private static string Kid(string token) => JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[0])).RootElement.GetProperty("kid").GetString()!;
}
