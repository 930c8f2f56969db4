using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Tests;

/// <summary>Whatever stands in a member, a parameter or a header is answered, or refused with a reason: it is never a failure of ours.</summary>
public sealed class OddInputTests(CoreHost core)
{
    // Texts as JSON; the last ones are none.
    private static readonly string[] Odd =
    [
        "\"\"", "\" \"", "\"\\t\\n\"", $"\"{new string('x', 129)}\"", $"\"{new string('x', 60_000)}\"", $"\"{new string('x', 70_000)}\"", "\"\\u0001\\u202e\\ufeff\"", "\"\\ud83d\\ude00\"", "\"a/b@c\"",
        "\"../..\"", "\"01a20de1-4e3a-7a03-b0ba-98a6280d90ef_\"", "\"01a20de1-4e3a-7a03-b0ba-98a6280d90ef_t_t\"", "\"'; DROP TABLE x; --\"", "\"%00\"", "\"null\"",
        "0", "-1", "7.5", "1e400", "true", "null", "[]", "[null]", "[\"\"]", "{}", "{\"\":\"\"}",
    ];

    // Every body that some route takes; each value in it, at any depth, is replaced by each odd one.
    private static readonly (string Method, string Path, string Body)[] Bodies =
    [
        ("POST", "/recipe/session", """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{"a":"b"},"userDataInDatabase":{"a":"b"},"useDynamicSigningKey":true,"accessTokenValidity":1000}"""),
        ("POST", "/recipe/session/remove", """{"sessionHandles":["h"]}"""),
        ("POST", "/recipe/session/remove", """{"userId":"u","revokeAcrossAllTenants":true,"revokeSessionsForLinkedAccounts":true}"""),
        ("POST", "/recipe/session/verify", """{"accessToken":"t","enableAntiCsrf":true,"doAntiCsrfCheck":true,"checkDatabase":true,"antiCsrfToken":"c"}"""),
        ("POST", "/recipe/session/refresh", """{"refreshToken":"t","enableAntiCsrf":true,"antiCsrfToken":"c","useDynamicSigningKey":true,"accessTokenValidity":1000,"joinWithin":1,"maxAccessTokenLength":9,"otherRefreshTokens":["t"]}"""),
        ("POST", "/recipe/session/regenerate", """{"accessToken":"t","userDataInJWT":{"a":"b"}}"""),
        ("PUT", "/recipe/session/data", """{"sessionHandle":"h","userDataInDatabase":{"a":"b"}}"""),
        ("PUT", "/recipe/jwt/data", """{"sessionHandle":"h","userDataInJWT":{"a":"b"}}"""),
        ("POST", "/session/payload", """{"sessionHandle":"h","merge":{"a":"b"}}"""),
        ("POST", "/session/payload", """{"sessionHandle":"h","replace":{"a":"b"}}"""),
        ("POST", "/session/ticket", """{"userId":"u","userDataInJWT":{"a":"b"},"userDataInDatabase":{"a":"b"},"useDynamicSigningKey":true}"""),
        ("POST", "/session/revoke", """{"sessionHandles":["h"],"reason":"SIGNED_OUT"}"""),
        ("POST", "/session/revoke", """{"userId":"u","revokeAcrossAllTenants":true,"exceptSessionHandle":"h"}"""),
        ("POST", "/session/revoke", """{"allOfTenant":false}"""),
        ("POST", "/session/revoke", """{"allOfApp":false}"""),
        ("POST", "/session/revoke", """{"signingKey":"k"}"""),
        ("POST", "/recipe/jwt", """{"payload":{"iss":"i"},"validity":60,"algorithm":"RS256","jwksDomain":"d","useStaticSigningKey":true}"""),
        ("PUT", "/recipe/multitenancy/connectionuridomain", """{"connectionUriDomain":"odd.example","emailPasswordEnabled":true,"firstFactors":["f"],"coreConfig":{"api_keys":"k"}}"""),
        ("PUT", "/recipe/multitenancy/connectionuridomain/v2", """{"connectionUriDomain":"odd.example","firstFactors":["f"],"requiredSecondaryFactors":["f"],"coreConfig":{"ip_allow_regex":"k"}}"""),
        ("POST", "/recipe/multitenancy/connectionuridomain/remove", """{"connectionUriDomain":"odd.example"}"""),
        ("PUT", "/recipe/multitenancy/app", """{"appId":"odd-app","firstFactors":["f"],"thirdPartyEnabled":true,"coreConfig":{"access_token_validity":60}}"""),
        ("PUT", "/recipe/multitenancy/app/v2", """{"appId":"odd-app","firstFactors":["f"],"requiredSecondaryFactors":["f"],"coreConfig":{"api_keys":"k"}}"""),
        ("POST", "/recipe/multitenancy/app/remove", """{"appId":"odd-app"}"""),
        ("PUT", "/recipe/multitenancy/tenant", """{"tenantId":"odd","firstFactors":["f"],"passwordlessEnabled":true,"coreConfig":{"refresh_token_validity":60}}"""),
        ("PUT", "/recipe/multitenancy/tenant/v2", """{"tenantId":"odd","firstFactors":["f"],"requiredSecondaryFactors":["f"],"coreConfig":{"ip_deny_regex":"k"}}"""),
        ("POST", "/recipe/multitenancy/tenant/remove", """{"tenantId":"odd"}"""),
        ("PUT", "/recipe/multitenancy/config/thirdparty", """{"config":{"thirdPartyId":"x","clients":[{"clientId":"c"}],"userInfoMap":{"fromIdTokenPayload":{"email":"e"}}}}"""),
        ("POST", "/recipe/multitenancy/config/thirdparty/remove", """{"thirdPartyId":"x"}"""),
        ("POST", "/recipe/multitenancy/tenant/user", """{"recipeUserId":"u"}"""),
        ("POST", "/recipe/multitenancy/tenant/user/remove", """{"recipeUserId":"u"}"""),
        ("POST", "/user/remove", """{"userId":"u","removeAllLinkedAccounts":true}"""),
        ("PUT", "/ee/license", """{"licenseKey":"k"}"""),
    ];

    private static readonly (string Path, string[] Parameters)[] Queries =
    [
        ("/recipe/session", ["sessionHandle"]),
        ("/recipe/session/data", ["sessionHandle"]),
        ("/recipe/jwt/data", ["sessionHandle"]),
        ("/recipe/session/user", ["userId", "fetchAcrossAllTenants", "fetchSessionsForAllLinkedAccounts"]),
        ("/user/id", ["userId"]),
        ("/recipe/userid/map", ["userId"]),
        ("/apiversion", ["websiteDomain", "apiDomain"]),
        ("/users", ["limit", "paginationToken"]),
        ("/users/by-accountinfo", ["email"]),
        ("/users/count/active", ["since"]),
    ];

    [Fact]
    public void Every_route_that_takes_a_body_is_tried()
    {
        string[] without = ["/", "/hello"];
        var mapped = core.Endpoints.OfType<RouteEndpoint>()
            .Select(route => (Method: route.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods[0], Path: route.RoutePattern.RawText!))
            .Where(route => route.Method is "POST" or "PUT" && !without.Contains(route.Path));
        Assert.Equal(mapped.Order(), Bodies.Select(row => (row.Method, row.Path)).Distinct().Order());
    }

    [Fact]
    public async Task No_value_of_a_member_is_a_failure()
    {
        var app = await core.CreateAppAsync();
        var unexpected = core.Log.Count(3101);
        foreach (var (method, path, body) in Bodies)
        {
            var prefix = path.Contains("multitenancy/app", StringComparison.Ordinal) || path.Contains("connectionuridomain", StringComparison.Ordinal) ? "" : app;
            foreach (var place in Places(JsonNode.Parse(body)!, []))
            {
                foreach (var odd in Odd)
                {
                    var sent = With(body, place, odd);
                    var answer = await core.SendAsync(method, prefix + path, sent);
                    Assert.True(answer.Status is 200 or 400 or 403, $"{method} {path} {(sent.Length > 300 ? sent[..300] : sent)}: {answer.Status} {answer.Text}");
                }
            }
        }

        Assert.Equal(unexpected, core.Log.Count(3101));
        await core.CreateSessionAsync(app);
    }

    [Fact]
    public async Task No_value_of_a_member_is_a_failure_of_the_front()
    {
        using var http = new HttpClient { BaseAddress = core.FrontUrl };
        var unexpected = core.Log.Count(3101);
        foreach (var odd in Odd)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/session/ticket")
            {
                Headers = { { "rid", "session" } },
                Content = new StringContent($"{{\"ticket\":{odd}}}", System.Text.Encoding.UTF8, "application/json"),
            };
            using var answer = await http.SendAsync(request);
            Assert.True((int)answer.StatusCode is >= 400 and < 500, $"{(odd.Length > 100 ? odd[..100] : odd)}: {answer.StatusCode}");
        }

        // So many wrong tickets are braked, and the next test is somebody else.
        core.Clock.Skip(TimeSpan.FromMinutes(1));
        Assert.Equal(unexpected, core.Log.Count(3101));
    }

    [Fact]
    public async Task No_value_of_a_parameter_is_a_failure()
    {
        var app = await core.CreateAppAsync();
        string[] odd = ["", "%20", "%09", "%00", "%FF%FE", "%ED%A0%80", "%F0%9F%98%80", new string('x', 129), new string('x', 4_000), "a&userId=b", "..%2f..", "01a20de1-4e3a-7a03-b0ba-98a6280d90ef_", "%", "null"];
        foreach (var (path, parameters) in Queries)
        {
            foreach (var (parameter, value) in parameters.SelectMany(_ => odd, (parameter, value) => (parameter, value)))
            {
                var others = string.Concat(parameters.Where(other => other != parameter).Select(other => $"&{other}=x"));
                var answer = await core.SendAsync("GET", $"{app}{path}?{parameter}={value}{others}");
                Assert.True(answer.Status is 200 or 400, $"{path}?{parameter}={value}: {answer.Status} {answer.Text}");
            }
        }
    }

    [Theory]
    [InlineData("cdi-version", "")]
    [InlineData("cdi-version", " ")]
    [InlineData("cdi-version", "5.4,5.4")]
    [InlineData("cdi-version", "-1.0")]
    [InlineData("cdi-version", "99999999999.0")]
    [InlineData("api-key", "")]
    [InlineData("Authorization", "Bearer")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "Basic ====")]
    [InlineData("Host", "odd-.example")]
    [InlineData("Host", "[::1]:")]
    [InlineData("rid", "")]
    public async Task No_value_of_a_header_is_a_failure(string name, string value)
    {
        foreach (var path in (string[])["/recipe/session?sessionHandle=x", "/apiversion", "/.well-known/jwks.json", "/hello"])
        {
            Assert.InRange((await core.SendAsync("GET", path, null, null, (name, value))).Status, 200, 404);
        }
    }

    [Theory]
    [InlineData("/appid-/hello")]
    [InlineData("/appid-%00/hello")]
    [InlineData("/%20/recipe/session")]
    [InlineData("/appid-x%2fy/recipe/session")]
    [InlineData("/appid-public/%E2%80%AE/recipe/session")]
    [InlineData("/appid-public/public/public/recipe/session")]
    [InlineData("/appid-public/appid-public/recipe/session")]
    [InlineData("/recipe/session/%00")]
    public async Task No_path_is_a_failure(string path) => Assert.InRange((await core.SendAsync("GET", path)).Status, 400, 404);

    [Fact]
    public async Task Another_grid_that_takes_this_one_for_the_core_behind_it_is_told() =>
        Assert.Equal(508, (await core.SendAsync("GET", "/apiversion", null, null, ("grid-hop", "1"))).Status);

    [Fact]
    public async Task No_length_of_an_id_in_a_path_is_a_failure()
    {
        foreach (var length in (int[])[64, 65, 1_000, 4_000])
        {
            var id = new string('x', length);
            Assert.Equal(400, (await core.SendAsync("GET", $"/appid-{id}/recipe/session?sessionHandle=x")).Status);
            Assert.Equal(400, (await core.SendAsync("GET", $"/{id}/recipe/session?sessionHandle=x")).Status);
            Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"/recipe/session?sessionHandle={Guid.NewGuid()}_{id}x")).Word);
        }
    }

    private static IEnumerable<object[]> Places(JsonNode node, object[] place)
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => (Key: (object)member.Key, member.Value)),
            JsonArray items => items.Select((item, index) => (Key: (object)index, Value: item)),
            _ => [],
        };
        return children.SelectMany(child => Places(child.Value!, [.. place, child.Key]).Prepend([.. place, child.Key]));
    }

    // As text: what JSON may hold and a node may not is tried too.
    private static string With(string body, object[] place, string odd)
    {
        const string Mark = "\"replace-me\"";
        var root = JsonNode.Parse(body)!;
        var parent = place[..^1].Aggregate(root, (node, key) => (key is int index ? node[index] : node[(string)key])!);
        if (place[^1] is int last)
        {
            parent[last] = "replace-me";
        }
        else
        {
            parent[(string)place[^1]] = "replace-me";
        }

        return root.ToJsonString().Replace(Mark, odd, StringComparison.Ordinal);
    }
}
