using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Grid.WebFront.Tests;

/// <summary>Tokens say what is so: claims that are ours, versions, scopes, user ids, sizes.</summary>
public sealed class TokenTruthTests(CoreHost core)
{
    private const string Protected = "The user payload contains protected field";

    [Fact]
    public async Task A_claim_that_an_older_version_took_is_refused_at_every_later_mint_and_nothing_is_rotated()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app, version: "5.4");
        var child = await core.RefreshAsync(app, Token(session, "refreshToken"), "5.4");
        Assert.Equal("OK", (await PutPayloadAsync(app, Handle(session), """{"tId":"evil","rsub":"root"}""", "2.21")).Word);

        var refused = await core.RefreshAsync(app, Token(child.Json, "refreshToken"));
        Assert.Equal($$"""{"status":"UNAUTHORISED","message":"{{Protected}}"}""", refused.Text);
        Assert.Equal(refused.Text, (await core.RefreshAsync(app, Token(child.Json, "refreshToken"), "5.4")).Text);
        AssertProtected(await core.VerifyAsync(app, Token(session, "accessToken"), checkDatabase: true, "5.4"));
        AssertProtected(await core.VerifyAsync(app, Token(child.Json, "accessToken"), version: "2.21"));
        AssertProtected(await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = Token(session, "accessToken") }));
        AssertProtected(await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = Token(session, "accessToken"), userDataInJWT = new { rsub = "root" } }, "2.21"));

        await PutPayloadAsync(app, Handle(session), "{}", "5.4");
        var refreshed = await core.RefreshAsync(app, Token(child.Json, "refreshToken"));
        Assert.Equal("OK", refreshed.Word);
        Assert.Equal("public", Claims(Token(refreshed.Json, "accessToken"))["tId"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_session_of_an_older_version_keeps_its_claim_with_that_version_only()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app, version: "2.21", payload: new { tId = "mine" });
        Assert.Equal("OK", (await core.VerifyAsync(app, Token(session, "accessToken"))).Word);

        Assert.Equal(Protected, (await core.RefreshAsync(app, Token(session, "refreshToken"))).Json["message"]!.GetValue<string>());
        var refreshed = await core.RefreshAsync(app, Token(session, "refreshToken"), "2.21");

        Assert.Equal("OK", refreshed.Word);
        Assert.Equal("mine", Claims(Token(refreshed.Json, "accessToken"))["tId"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("2.21")]
    [InlineData("3.0")]
    [InlineData("5.4")]
    public async Task A_replaced_token_keeps_its_format_and_tenant_whatever_version_asks(string version)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var session = await core.CreateSessionAsync($"{app}/t1");
        await PutPayloadAsync(app, Handle(session), """{"b":2}""", "5.4");

        var verified = await core.VerifyAsync(app, Token(session, "accessToken"), checkDatabase: true, version);
        var regenerated = await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = Token(session, "accessToken") }, version);

        foreach (var answer in (CoreAnswer[])[verified, regenerated])
        {
            var token = Token(answer.Json, "accessToken");
            Assert.Equal(("5", "t1", "u1"), ($"{Header(token)["version"]}", $"{Claims(token)["tId"]}", $"{Claims(token)["rsub"]}"));
        }
    }

    [Fact]
    public async Task An_older_tokens_tenant_is_the_one_in_its_handle()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var session = await core.CreateSessionAsync($"{app}/t1", version: "3.0");
        var text = Token(session, "accessToken");

        var verified = await core.VerifyAsync(app, text);

        Assert.Equal(("4", "t1"), ($"{Header(text)["version"]}", $"{verified.Json["session"]!["tenantId"]}"));
    }

    [Fact]
    public async Task A_scope_that_only_the_public_tenant_has_is_refused_instead_of_made_smaller()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var here = await core.CreateSessionAsync($"{app}/t1", userId: "u");
        var there = await core.CreateSessionAsync(app, userId: "u");

        CoreAnswer[] refused =
        [
            await core.SendAsync("GET", $"{app}/t1/recipe/session/user?userId=u"),
            await core.SendAsync("GET", $"{app}/t1/recipe/session/user?userId=u&fetchAcrossAllTenants=true", null, "5.0"),
            await core.PostAsync($"{app}/t1/recipe/session/remove", new { userId = "u" }),
            await core.PostAsync($"{app}/t1/recipe/session/remove", new { userId = "u", revokeAcrossAllTenants = true }, "5.0"),
            await core.PostAsync($"{app}/t1/session/revoke", new { userId = "u" }),
            await core.PostAsync($"{app}/t1/session/revoke", new { userId = "u", revokeAcrossAllTenants = true }),
        ];
        Assert.All(refused, answer => Assert.Equal((403, "Only public tenantId can call this app specific API\n"), (answer.Status, answer.Text)));
        Assert.Equal("OK", (await core.VerifyAsync(app, Token(here, "accessToken"))).Word);

        Assert.Equal([Handle(here)], (await core.SendAsync("GET", $"{app}/t1/recipe/session/user?userId=u&fetchAcrossAllTenants=false")).Json["sessionHandles"]!.AsArray().Select(h => $"{h}"));
        Assert.Equal([Handle(here)], (await core.PostAsync($"{app}/t1/session/revoke", new { userId = "u", revokeAcrossAllTenants = false })).Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}"));
        Assert.Equal([Handle(there)], (await core.PostAsync($"{app}/t1/recipe/session/remove", new { userId = "u" }, "4.0")).Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}"));
    }

    [Fact]
    public async Task A_regeneration_writes_nothing_for_a_token_that_nobody_here_signed()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app);
        var parts = Token(session, "accessToken").Split('.');
        var header = Header(Token(session, "accessToken"));
        header["kid"] = $"d-{Guid.NewGuid():D}";
        var selfMade = $"{Encode(header)}.{parts[1]}.{parts[2]}";
        var changed = $"{parts[0]}.{parts[1]}.{parts[2][..^4]}AAAA";

        foreach (var token in (string[])[selfMade, changed])
        {
            Assert.Equal("UNAUTHORISED", (await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = token, userDataInJWT = new { evil = 1 } })).Word);
        }

        Assert.Equal("""{"a":1}""", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={Handle(session)}")).Json["userDataInJWT"]!.ToJsonString());
    }

    [Fact]
    public async Task User_ids_are_kept_to_the_letter_at_every_door()
    {
        var app = await core.CreateAppAsync();
        string[] users = ["", " ", "admin", " admin", "admin ", "admin\u00a0", "admin\u2003", "\tadmin", "Admin", "admin\u200b", new string('ü', 128)];
        var handles = new Dictionary<string, string>();
        foreach (var userId in users)
        {
            var session = await core.CreateSessionAsync(app, userId);
            handles[userId] = Handle(session);
            Assert.Equal(userId, session["session"]!["userId"]!.GetValue<string>());
            Assert.Equal(userId, Claims(Token(session, "accessToken"))["sub"]!.GetValue<string>());
            Assert.Equal(userId, (await core.VerifyAsync(app, Token(session, "accessToken"))).Json["session"]!["userId"]!.GetValue<string>());
            Assert.Equal("OK", (await core.PostAsync($"{app}/session/ticket", new { userId })).Word);
        }

        foreach (var userId in users)
        {
            Assert.Equal([handles[userId]], (await core.SendAsync("GET", $"{app}/recipe/session/user?userId={Uri.EscapeDataString(userId)}")).Json["sessionHandles"]!.AsArray().Select(h => $"{h}"));
        }

        foreach (var (userId, path) in users.Zip(Enumerable.Repeat((string[])["/recipe/session/remove", "/session/revoke"], users.Length).SelectMany(p => p)))
        {
            Assert.Equal([handles[userId]], (await core.PostAsync(app + path, new { userId })).Json["sessionHandlesRevoked"]!.AsArray().Select(h => $"{h}"));
        }

        Assert.Equal(400, (await core.PostAsync($"{app}/recipe/session", new { userId = new string('x', 129), enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } })).Status);
    }

    [Fact]
    public async Task A_payload_that_no_token_could_carry_is_refused_before_anything_is_stored()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app, userId: "u");
        var payload = new { fill = new string('x', 20_480) };

        CoreAnswer[] refused =
        [
            await core.PostAsync($"{app}/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = payload, userDataInDatabase = new { } }),
            await core.PostAsync($"{app}/session/ticket", new { userId = "u", userDataInJWT = payload }),
            await core.SendAsync("PUT", $"{app}/recipe/jwt/data", new { sessionHandle = Handle(session), userDataInJWT = payload }),
            await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken = Token(session, "accessToken"), userDataInJWT = payload }),
        ];
        Assert.All(refused, answer => Assert.Equal(
            (400, "Field name 'userDataInJWT' has 20491 bytes and may have at most 20480: the access token has to carry it\n"), (answer.Status, answer.Text)));

        Assert.Single((await core.SendAsync("GET", $"{app}/recipe/session/user?userId=u")).Json["sessionHandles"]!.AsArray());
        var largest = await core.CreateSessionAsync(app, new string('\u0001', 128), payload: new { fill = new string('x', 20_480 - 11) });
        Assert.InRange(Token(largest, "accessToken").Length, 28_000, 32 * 1024);
        Assert.Equal("OK", (await core.VerifyAsync(app, Token(largest, "accessToken"), checkDatabase: true)).Word);
        Assert.Equal("OK", (await core.RefreshAsync(app, Token(largest, "refreshToken"))).Word);
    }

    [Fact]
    public async Task A_refresh_whose_token_would_be_longer_than_asked_rotates_nothing()
    {
        var app = await core.CreateAppAsync(new { refresh_token_rotation_grace_period = 0 });
        var session = await core.CreateSessionAsync(app);
        var body = new { refreshToken = Token(session, "refreshToken"), enableAntiCsrf = false, useDynamicSigningKey = true, maxAccessTokenLength = 700 };

        for (var i = 0; i < 3; i++)
        {
            var refused = await core.PostAsync($"{app}/recipe/session/refresh", body);
            Assert.Equal("ACCESS_TOKEN_TOO_LONG", refused.Word);
            Assert.Matches("would have [0-9]+ characters, and at most 700", refused.Text);
            core.Clock.Skip(TimeSpan.FromSeconds(5));
        }

        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session/refresh", body with { maxAccessTokenLength = 4000 })).Word);
        Assert.Equal(400, (await core.PostAsync($"{app}/recipe/session/refresh", body with { maxAccessTokenLength = 0 })).Status);
        Assert.Equal(400, (await core.PostAsync($"{app}/recipe/session/refresh", body with { maxAccessTokenLength = 40_000 })).Status);
    }

    private static void AssertProtected(CoreAnswer answer) => Assert.Equal((400, Protected + "\n"), (answer.Status, answer.Text));

    private Task<CoreAnswer> PutPayloadAsync(string app, string handle, string payload, string version) => core.SendAsync(
        "PUT", $"{app}/recipe/jwt/data", $$"""{"sessionHandle":"{{handle}}","userDataInJWT":{{payload}}}""", version);

    private static string Handle(JsonObject session) => session["session"]!["handle"]!.GetValue<string>();

    private static string Token(JsonObject session, string name) => session[name]!["token"]!.GetValue<string>();

    private static JsonObject Header(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[0]))!.AsObject();

    private static JsonObject Claims(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
