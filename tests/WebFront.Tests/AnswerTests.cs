using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Tests;

/// <summary>Every answer of every route, member by member: the protocol leaves out what it has nothing to say with, and has no nulls for it.</summary>
public sealed class AnswerTests(CoreHost core)
{
    private const string Session = "session session.handle session.userId session.recipeUserId? session.userDataInJWT* session.tenantId?";
    private const string Access = "accessToken accessToken.token accessToken.expiry accessToken.createdTime";
    private const string Tokens = $"{Session} {Access} refreshToken refreshToken.token refreshToken.expiry refreshToken.createdTime antiCsrfToken?";
    private const string Keys = "keys keys[].kty keys[].kid keys[].n keys[].e keys[].alg keys[].use";
    private const string Handles = "sessionHandlesRevoked";

    // Route, status ("-": none) and members: those with ? may be missing; what is below * is the caller's own. Null: may be null.
    private static readonly string[] Table =
    [
        $"POST /recipe/session OK {Tokens}",
        "GET /recipe/session OK sessionHandle userId recipeUserId? tenantId? userDataInDatabase* userDataInJWT* expiry timeCreated",
        "GET /recipe/session UNAUTHORISED message",
        $"POST /recipe/session/remove OK {Handles}",
        $"POST /recipe/session/verify OK {Session} {Access.Replace(" ", "? ", StringComparison.Ordinal)}? payloadUpdateAvailable?",
        "POST /recipe/session/verify UNAUTHORISED message",
        "POST /recipe/session/verify TRY_REFRESH_TOKEN message",
        $"POST /recipe/session/refresh OK {Tokens}",
        "POST /recipe/session/refresh UNAUTHORISED message recentTokenReuseSubtype?",
        "POST /recipe/session/refresh TOKEN_THEFT_DETECTED session session.handle session.userId session.recipeUserId? recentTokenReuseSubtype?",
        "GET /recipe/session/user OK sessionHandles",
        $"POST /recipe/session/regenerate OK {Session} {Access.Replace(" ", "? ", StringComparison.Ordinal)}?",
        "POST /recipe/session/regenerate UNAUTHORISED message",
        "GET /recipe/session/data OK userDataInDatabase*",
        "GET /recipe/session/data UNAUTHORISED message",
        "PUT /recipe/session/data OK",
        "PUT /recipe/session/data UNAUTHORISED message",
        "GET /recipe/jwt/data OK userDataInJWT*",
        "GET /recipe/jwt/data UNAUTHORISED message",
        "PUT /recipe/jwt/data OK",
        "PUT /recipe/jwt/data UNAUTHORISED message",
        "POST /session/payload OK userDataInJWT*",
        "POST /session/payload UNAUTHORISED message",
        "POST /session/ticket OK ticket expiry sessionHandle",
        $"POST /session/revoke OK {Handles} position milliseconds holders holders.confirmed holders.waitedOut holders.excluded",
        "POST /recipe/jwt OK jwt",
        "POST /recipe/jwt UNSUPPORTED_ALGORITHM_ERROR",
        $"GET /recipe/jwt/jwks OK {Keys}",
        $"GET /.well-known/jwks.json - {Keys}",
        "PUT /recipe/multitenancy/connectionuridomain OK createdNew",
        "PUT /recipe/multitenancy/connectionuridomain/v2 OK createdNew",
        "POST /recipe/multitenancy/connectionuridomain/remove OK didExist",
        $"GET /recipe/multitenancy/connectionuridomain/list OK connectionUriDomains connectionUriDomains[].connectionUriDomain connectionUriDomains[].apps {Apps("connectionUriDomains[].", TenantV1)}",
        $"GET /recipe/multitenancy/connectionuridomain/list/v2 OK connectionUriDomains connectionUriDomains[].connectionUriDomain connectionUriDomains[].apps {Apps("connectionUriDomains[].", TenantV2)}",
        "PUT /recipe/multitenancy/app OK createdNew",
        "PUT /recipe/multitenancy/app/v2 OK createdNew",
        "POST /recipe/multitenancy/app/remove OK didExist",
        $"GET /recipe/multitenancy/app/list OK apps {Apps("", TenantV1)}",
        $"GET /recipe/multitenancy/app/list/v2 OK apps {Apps("", TenantV2)}",
        "PUT /recipe/multitenancy/tenant OK createdNew",
        "PUT /recipe/multitenancy/tenant/v2 OK createdNew",
        $"GET /recipe/multitenancy/tenant OK {TenantV1}",
        $"GET /recipe/multitenancy/tenant/v2 OK {TenantV2}",
        "GET /recipe/multitenancy/tenant TENANT_NOT_FOUND_ERROR",
        "GET /recipe/multitenancy/tenant/v2 TENANT_NOT_FOUND_ERROR",
        "POST /recipe/multitenancy/tenant/remove OK didExist",
        $"GET /recipe/multitenancy/tenant/list OK tenants {Below("tenants[].", TenantV1)}",
        $"GET /recipe/multitenancy/tenant/list/v2 OK tenants {Below("tenants[].", TenantV2)}",
        "PUT /recipe/multitenancy/config/thirdparty OK createdNew",
        "POST /recipe/multitenancy/config/thirdparty/remove OK didConfigExist",
        "POST /recipe/multitenancy/tenant/user UNKNOWN_USER_ID_ERROR",
        "POST /recipe/multitenancy/tenant/user/remove OK wasAssociated",
        "GET /recipe/dashboard/tenant/core-config OK config config[].key config[].valueType config[].value=null config[].description config[].isDifferentAcrossTenants "
            + "config[].possibleValues? config[].isNullable config[].defaultValue=null config[].isPluginProperty config[].isPluginPropertyEditable",
        "GET /user/id UNKNOWN_USER_ID_ERROR",
        "GET /recipe/userid/map UNKNOWN_MAPPING_ERROR",
        "POST /user/remove OK",
        "GET /users/count OK count",
        "GET /users/count/active OK count",
        "GET /users OK users",
        "GET /users/by-accountinfo OK users",
        "GET /apiversion - versions",
        "GET /telemetry OK exists",
        "PUT /ee/license OK",
        "DELETE /ee/license OK",
        "GET /ee/license NO_LICENSE_KEY_FOUND_ERROR",
        "GET /ee/featureflag OK features usageStats",
    ];

    // Plain text, or no HTTP.
    private static readonly string[] WithoutJson = ["/", "/hello", "/session/holder"];

    private const string TenantV1 = "tenantId emailPassword emailPassword.enabled thirdParty thirdParty.enabled thirdParty.providers* passwordless passwordless.enabled firstFactors? requiredSecondaryFactors? coreConfig*";
    private const string TenantV2 = "tenantId thirdParty thirdParty.providers* firstFactors? requiredSecondaryFactors? coreConfig*";

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    [Theory]
    [InlineData("2.21")]
    [InlineData("3.1")]
    [InlineData("4.0")]
    [InlineData("5.0")]
    [InlineData("5.4")]
    [InlineData("5.6")]
    public async Task What_there_is_nothing_to_say_with_is_left_out_and_never_null(string version)
    {
        var app = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0 });
        var mild = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0, recent_token_reuse_behaviour = "UNAUTHORISED" });
        await SessionsAsync(app, version);
        await ReusesAsync(app, version);
        await ReusesAsync(mild, version);
        await TenantsAsync(app, version);
        await TheRestAsync(app, version);

        var routes = core.Endpoints.OfType<RouteEndpoint>().Where(route => !WithoutJson.Contains(route.RoutePattern.RawText))
            .Select(route => $"{route.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods[0]} {route.RoutePattern.RawText}");
        Assert.Equal(routes.Order(), _seen.Select(row => string.Join(' ', row.Split(' ')[..2])).Distinct().Order());

        // Older refreshes are never answered UNAUTHORISED for reuse; all other rows have been seen with every version.
        Assert.Empty(Table.Select(row => string.Join(' ', row.Split(' ')[..3])).Except(_seen));
    }

    private static string Below(string prefix, string members) => string.Join(' ', members.Split(' ').Select(member => prefix + member));

    private static string Apps(string prefix, string tenant) =>
        Below($"{prefix}apps[].", $"appId tenants {Below("tenants[].", tenant)}");

    private static IEnumerable<(string Path, bool IsNull)> Members(string prefix, JsonNode node, Func<string, bool> isOwn)
    {
        if (node is JsonArray items)
        {
            return items.SelectMany(item => item is null ? [(prefix + "[]", true)] : Members(prefix + "[]", item, isOwn));
        }

        return node is not JsonObject members ? [] : members.SelectMany(member =>
        {
            var path = prefix.Length == 0 ? member.Key : $"{prefix}.{member.Key}";
            return member.Value is null ? [(path, true)] : isOwn(path) ? [(path, false)] : Members(path, member.Value, isOwn).Prepend((path, false));
        });
    }

    private async Task<JsonObject> AskAsync(string method, string prefix, string path, object? body, string version)
    {
        var answer = await core.SendAsync(method, prefix + path, body, version);
        Assert.True(answer.Status == 200, $"{method} {path}: {answer.Text}");
        var word = answer.Json["status"]?.GetValue<string>() ?? "-";
        var row = $"{method} {path.Split('?')[0]} {word}";
        _seen.Add(row);
        var expected = Assert.Single(Table, text => text == row || text.StartsWith(row + " ", StringComparison.Ordinal)).Split(' ')[3..];
        var names = expected.ToLookup(member => member.TrimEnd('?', '*').Replace("=null", "", StringComparison.Ordinal));
        foreach (var (member, isNull) in Members("", answer.Json, name => names[name].Any(m => m.Contains('*', StringComparison.Ordinal))).Where(m => m.Path != "status"))
        {
            Assert.True(names.Contains(member), $"{row} has a member {member} that the protocol does not know");
            Assert.False(isNull && !names[member].Single().EndsWith("=null", StringComparison.Ordinal), $"{row} has null as {member}");
        }

        // In lists there may be nothing, or things of several shapes.
        var required = expected.Where(member => !member.EndsWith('?') && !member.Contains("[]", StringComparison.Ordinal)).Select(member => member.TrimEnd('*'));
        Assert.Empty(required.Except(Members("", answer.Json, name => names[name].Any(m => m.Contains('*', StringComparison.Ordinal))).Select(m => m.Path)));
        return answer.Json;
    }

    private async Task SessionsAsync(string app, string version)
    {
        var create = new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { own = (string?)null }, userDataInDatabase = new { own = (string?)null } };
        var session = await AskAsync("POST", app, "/recipe/session", create, version);
        var other = await AskAsync("POST", app, "/recipe/session", create with { enableAntiCsrf = true }, version);
        var (handle, accessToken) = (Handle(session), Token(session, "accessToken"));
        object Verify(string token, bool antiCsrf) => new { accessToken = token, enableAntiCsrf = antiCsrf, doAntiCsrfCheck = antiCsrf, checkDatabase = true };
        await AskAsync("POST", app, "/recipe/session/verify", Verify(accessToken, false), version);
        await AskAsync("POST", app, "/recipe/session/verify", Verify("none", false), version);
        await AskAsync("POST", app, "/recipe/session/verify", Verify(Token(other, "accessToken"), true), version);
        await AskAsync("GET", app, $"/recipe/session?sessionHandle={handle}", null, version);
        await AskAsync("GET", app, $"/recipe/session/data?sessionHandle={handle}", null, version);
        await AskAsync("GET", app, $"/recipe/jwt/data?sessionHandle={handle}", null, version);
        await AskAsync("PUT", app, "/recipe/session/data", new { sessionHandle = handle, userDataInDatabase = new { } }, version);
        await AskAsync("PUT", app, "/recipe/jwt/data", new { sessionHandle = handle, userDataInJWT = new { b = 1 } }, version);
        await AskAsync("POST", app, "/session/payload", new { sessionHandle = handle, merge = new { c = 1 } }, version);
        await AskAsync("POST", app, "/recipe/session/verify", Verify(accessToken, false), version);
        await AskAsync("GET", app, "/recipe/session/user?userId=u", null, version);
        await AskAsync("POST", app, "/recipe/session/regenerate", new { accessToken }, version);
        await AskAsync("POST", app, "/recipe/session/remove", new { sessionHandles = new[] { handle } }, version);
        await AskAsync("POST", app, "/recipe/session/regenerate", new { accessToken }, version);
        await AskAsync("POST", app, "/recipe/session/verify", Verify(accessToken, false), version);
        await AskAsync("GET", app, $"/recipe/session?sessionHandle={handle}", null, version);
        await AskAsync("GET", app, $"/recipe/session/data?sessionHandle={handle}", null, version);
        await AskAsync("GET", app, $"/recipe/jwt/data?sessionHandle={handle}", null, version);
        await AskAsync("PUT", app, "/recipe/session/data", new { sessionHandle = handle, userDataInDatabase = new { } }, version);
        await AskAsync("PUT", app, "/recipe/jwt/data", new { sessionHandle = handle, userDataInJWT = new { } }, version);
        await AskAsync("POST", app, "/session/payload", new { sessionHandle = handle, replace = new { } }, version);
        await AskAsync("POST", app, "/recipe/session/remove", new { userId = "u" }, version);
        await AskAsync("POST", app, "/session/ticket", new { userId = "u" }, version);
        await AskAsync("POST", app, "/session/revoke", new { userId = "u" }, version);
        await AskAsync("POST", app, "/session/revoke", new { sessionHandles = new[] { handle } }, version);
        await AskAsync("POST", app, "/user/remove", new { userId = "u" }, version);
    }

    private async Task ReusesAsync(string app, string version)
    {
        var session = await core.CreateSessionAsync(app, version: version);
        object Refresh(string token) => new { refreshToken = token, enableAntiCsrf = false, useDynamicSigningKey = true };
        await AskAsync("POST", app, "/recipe/session/refresh", Refresh("none"), version);
        var second = await AskAsync("POST", app, "/recipe/session/refresh", Refresh(Token(session, "refreshToken")), version);
        await AskAsync("POST", app, "/recipe/session/verify", new { accessToken = Token(second, "accessToken"), enableAntiCsrf = false, doAntiCsrfCheck = false, checkDatabase = false }, version);
        var third = await AskAsync("POST", app, "/recipe/session/refresh", Refresh(Token(second, "refreshToken")), version);
        await AskAsync("POST", app, "/recipe/session/verify", new { accessToken = Token(third, "accessToken"), enableAntiCsrf = false, doAntiCsrfCheck = false, checkDatabase = true }, version);
        core.Clock.Skip(TimeSpan.FromSeconds(1));
        await AskAsync("POST", app, "/recipe/session/refresh", Refresh(Token(session, "refreshToken")), version);

        var other = await core.CreateSessionAsync(app, version: version);
        await AskAsync("POST", app, "/recipe/session/refresh", Refresh(Token(other, "refreshToken")), "5.6");
        core.Clock.Skip(TimeSpan.FromSeconds(1));
        await AskAsync("POST", app, "/recipe/session/refresh", Refresh(Token(other, "refreshToken")), version);
    }

    private async Task TenantsAsync(string app, string version)
    {
        var (appId, domain) = (Guid.NewGuid().ToString("D"), $"d{Guid.NewGuid():N}.example");
        object provider = new { config = new { thirdPartyId = "x", name = (string?)null, clients = new[] { new { clientId = "c", clientSecret = (string?)null } } } };
        foreach (var shape in (string[])["", "/v2"])
        {
            await AskAsync("PUT", "", $"/recipe/multitenancy/app{shape}", new { appId = appId + shape.Trim('/') }, version);
            await AskAsync("PUT", "", $"/recipe/multitenancy/connectionuridomain{shape}", new { connectionUriDomain = domain }, version);
            await AskAsync("PUT", app, $"/recipe/multitenancy/tenant{shape}", new { tenantId = "t" + shape.Trim('/') }, version);
        }

        await AskAsync("PUT", app, "/recipe/multitenancy/tenant/v2", new { tenantId = "some", firstFactors = new[] { "otp-email" }, requiredSecondaryFactors = new[] { "totp" } }, version);
        await AskAsync("PUT", app, "/recipe/multitenancy/tenant/v2", """{"tenantId":"nulls","firstFactors":null,"requiredSecondaryFactors":null,"coreConfig":{"access_token_validity":null}}""", version);
        await AskAsync("PUT", app, "/recipe/multitenancy/config/thirdparty", provider, version);
        foreach (var shape in (string[])["", "/v2"])
        {
            foreach (var tenant in version == "2.21" ? (string[])[""] : ["", "/t", "/tv2", "/some", "/nulls"])
            {
                await AskAsync("GET", app + tenant, $"/recipe/multitenancy/tenant{shape}", null, version);
            }

            // Older versions know no tenant in a path.
            await AskAsync("GET", $"{app}/no-such-tenant", $"/recipe/multitenancy/tenant{shape}", null, version == "2.21" ? "3.0" : version);
            await AskAsync("GET", app, $"/recipe/multitenancy/tenant/list{shape}", null, version);
            await AskAsync("GET", "", $"/recipe/multitenancy/app/list{shape}", null, version);
            await AskAsync("GET", "", $"/recipe/multitenancy/connectionuridomain/list{shape}", null, version);
        }

        await AskAsync("POST", app, "/recipe/multitenancy/config/thirdparty/remove", new { thirdPartyId = "x" }, version);
        await AskAsync("POST", app, "/recipe/multitenancy/tenant/user", new { recipeUserId = "u" }, version);
        await AskAsync("POST", app, "/recipe/multitenancy/tenant/user/remove", new { recipeUserId = "u" }, version);
        await AskAsync("GET", app, "/recipe/dashboard/tenant/core-config", null, version);
        await AskAsync("POST", app, "/recipe/multitenancy/tenant/remove", new { tenantId = "t" }, version);
        await AskAsync("POST", "", "/recipe/multitenancy/app/remove", new { appId }, version);
        await AskAsync("POST", "", "/recipe/multitenancy/app/remove", new { appId = appId + "v2" }, version);
        await AskAsync("POST", "", "/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = domain }, version);
    }

    private async Task TheRestAsync(string app, string version)
    {
        foreach (var algorithm in (string[])["RS256", "HS256"])
        {
            await AskAsync("POST", app, "/recipe/jwt", new { payload = new { }, validity = 60, algorithm }, version);
        }

        foreach (var path in (string[])[
            "/recipe/jwt/jwks", "/.well-known/jwks.json", "/user/id?userId=u", "/recipe/userid/map?userId=u", "/users/count", "/users/count/active", "/users", "/users/by-accountinfo",
            "/apiversion", "/telemetry", "/ee/license", "/ee/featureflag"])
        {
            await AskAsync("GET", app, path, null, version);
        }

        await AskAsync("PUT", app, "/ee/license", new { licenseKey = "x" }, version);
        await AskAsync("DELETE", app, "/ee/license", null, version);
    }

    private static string Handle(JsonObject session) => session["session"]!["handle"]!.GetValue<string>();

    private static string Token(JsonObject session, string name) => session[name]!["token"]!.GetValue<string>();
}
