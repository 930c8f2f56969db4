using Grid.Abstractions.Apps;
using Grid.Tokens;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Tests;

/// <summary>What every request passes, and in which order: docs/protocol/core.md, "Every request".</summary>
public sealed class GateTests(CoreHost core)
{
    private const string Key = "key-of-this-app-0123456789";
    private const string Text = "text/html; charset=UTF-8";

    [Fact]
    public async Task Hello_needs_nothing()
    {
        foreach (var path in new[] { "/", "/hello", "/HELLO/", "/appid-public/hello", "/public/hello", "/appid-public/public/" })
        {
            var hello = await core.SendAsync("GET", path, null, "not a version");
            Assert.Equal((200, Text, "Hello\n"), (hello.Status, hello.ContentType, hello.Text));
        }
    }

    [Fact]
    public async Task The_versions_are_announced() => Assert.Equal(
        """{"versions":["2.21","3.0","3.1","4.0","5.0","5.1","5.2","5.3","5.4","5.5","5.6"]}""",
        (await core.SendAsync("GET", "/apiversion?websiteDomain=a&apiDomain=b")).Text);

    [Theory]
    [InlineData("5.7", "cdi-version 5.7 not supported")]
    [InlineData("2.20", "cdi-version 2.20 not supported")]
    [InlineData("five", "cdi-version header is invalid")]
    [InlineData("5.", "cdi-version header is invalid")]
    public async Task An_unknown_version_is_refused(string version, string text)
    {
        var refused = await core.SendAsync("GET", "/recipe/session?sessionHandle=x", null, version);
        Assert.Equal((400, Text, text + "\n"), (refused.Status, refused.ContentType, refused.Text));
    }

    [Fact]
    public async Task Unknown_apps_and_tenants_are_named()
    {
        var app = await core.SendAsync("GET", "/appid-nope/recipe/session?sessionHandle=x");
        Assert.Equal(
            (400, Text, "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, nope, public)\n"),
            (app.Status, app.ContentType, app.Text));
        var tenant = await core.PostAsync("/T9/recipe/session", new { });
        Assert.Equal(
            (400, "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (, public, t9)\n"),
            (tenant.Status, tenant.Text));
        var suffix = await core.SendAsync("GET", "/recipe/session?sessionHandle=01a20de1-4e3a-7a03-b0ba-98a6280d90ef_t9");
        Assert.Equal((400, tenant.Text), (suffix.Status, suffix.Text));
    }

    [Fact]
    public async Task Paths_and_methods_that_do_not_exist_say_so()
    {
        foreach (var path in new[] { "/recipe/nothing", "/recipe/handshake", "/recipe/session/", "/recipe/session/verify/x", "/%2Frecipe" })
        {
            if (path == "/recipe/session/")
            {
                Assert.Equal((405, "Method not supported\n"), await StatusAndText("DELETE", path));
                continue;
            }

            Assert.Equal((404, "Not found\n"), await StatusAndText("POST", path));
        }

        Assert.Equal((405, "Method not supported\n"), await StatusAndText("TRACE", "/apiversion"));
    }

    [Fact]
    public async Task A_tenant_below_3_0_and_an_app_api_of_a_tenant_are_refused()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });

        Assert.Equal((404, "Not found\n"), await StatusAndText("POST", $"{app}/t1/recipe/session", "2.21"));
        Assert.Equal((400, "Invalid Json Input\n"), await StatusAndText("POST", $"{app}/t1/recipe/session/refresh"));
        Assert.Equal((403, "Only public tenantId can call this app specific API\n"), await StatusAndText("POST", $"{app}/t1/recipe/session/verify", "5.6"));
        Assert.Equal((400, "Invalid Json Input\n"), await StatusAndText("POST", $"{app}/t1/recipe/session/verify", "5.4"));
    }

    [Fact]
    public async Task Every_route_wants_the_key_before_anything_else()
    {
        var app = await core.CreateAppAsync(new { api_keys = Key });
        var other = await core.CreateAppAsync(new { api_keys = "key-of-another-app-0123456789" });
        string[] open = ["/", "/hello", "/.well-known/jwks.json"];
        Assert.InRange(Routes().Count(), 45, 200);
        foreach (var (method, path) in Routes())
        {
            // Twenty failures a minute, and the next are told to wait.
            core.Clock.Skip(TimeSpan.FromMinutes(1));
            foreach (var key in new[] { null, "wrong", "key-of-another-app-0123456789" })
            {
                (string, string)[] headers = key is null ? [] : [("api-key", key)];
                var answer = await core.SendAsync(method, app + path, null, "no version", headers);
                Assert.Equal(!open.Contains(path), (answer.Status, answer.Text) == (401, "Invalid API key\n"));
                if (!open.Contains(path))
                {
                    // The key is checked even where the tenant does not exist.
                    Assert.Equal(401, (await core.SendAsync(method, $"{app}/no-such-tenant{path}", null, null, headers)).Status);
                }
            }

            foreach (var headers in new[] { ("api-key", Key), ("Authorization", $"Bearer {Key}"), ("authorization", Key), ("Authorization", $"bearer   {Key} \t"), ("Authorization", $"  {Key}  ") })
            {
                Assert.NotEqual(401, (await core.SendAsync(method, app + path, null, null, headers)).Status);
            }

            Assert.Equal(400, (await core.SendAsync(method, $"/appid-unknown{path}", null, null, ("api-key", Key))).Status);
        }

        Assert.Equal(401, (await core.SendAsync("GET", $"{app}/recipe/unknown-route")).Status);
        Assert.Equal(404, (await core.SendAsync("GET", $"{app}/recipe/unknown-route", null, null, ("api-key", Key))).Status);
        Assert.NotEqual(app, other);
    }

    [Fact]
    public async Task Addresses_can_be_allowed_and_denied()
    {
        var denied = await core.CreateAppAsync(new { ip_deny_regex = "127\\.0\\.0\\.\\d+" });
        var allowed = await core.CreateAppAsync(new { ip_allow_regex = "127\\.0\\.0\\.\\d+" });
        var elsewhere = await core.CreateAppAsync(new { ip_allow_regex = "10\\..*" });

        Assert.Equal(403, (await core.SendAsync("GET", $"{denied}/apiversion")).Status);
        Assert.Equal(403, (await core.SendAsync("GET", $"{elsewhere}/apiversion")).Status);
        Assert.Equal(200, (await core.SendAsync("GET", $"{allowed}/apiversion")).Status);
    }

    [Theory]
    [InlineData(null, "127\\..*|::1", 403)]
    [InlineData("10\\..*", null, 403)]
    [InlineData("127\\..*|::1", "10\\..*", 200)]
    public async Task Hello_without_a_key_obeys_the_installations_address_rules(string? allow, string? deny, int status)
    {
        await using var guarded = new CoreHost { Defaults = new AppDefaults { ApiKeyHashes = [TokenHash.Of(Key)], IpAllowRegex = allow, IpDenyRegex = deny } };
        await guarded.InitializeAsync();
        foreach (var path in new[] { "/", "/hello", "/appid-unknown/hello", "/appid-unknown/t9/" })
        {
            Assert.Equal(status, (await guarded.SendAsync("GET", path)).Status);
        }

        Assert.Equal(status, (await guarded.SendAsync("GET", "/hello", null, null, ("api-key", Key))).Status);
    }

    [Theory]
    [InlineData("ip_allow_regex", "7\\.0\\.0\\.1", 403)]
    [InlineData("ip_allow_regex", "", 200)]
    [InlineData("ip_deny_regex", "", 200)]
    [InlineData("ip_deny_regex", "27\\.0\\.0\\.", 200)]
    [InlineData("ip_deny_regex", "(127|128)\\.0\\.0\\.1", 403)]
    public async Task A_rule_speaks_of_whole_addresses_and_an_empty_one_of_none(string key, string pattern, int status)
    {
        var app = await core.CreateAppAsync(new Dictionary<string, string> { [key] = pattern });
        Assert.Equal(status, (await core.SendAsync("GET", $"{app}/apiversion")).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData(" ")]
    public async Task An_app_is_not_opened_by_a_list_without_keys(string keys)
    {
        var app = await core.CreateAppAsync(new { api_keys = Key });
        var put = await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = app["/appid-".Length..], coreConfig = new { api_keys = keys } });
        Assert.Equal(400, put.Status);
        Assert.StartsWith("Invalid core config: api_keys", put.Text, StringComparison.Ordinal);
        Assert.Equal(401, (await core.SendAsync("GET", $"{app}/apiversion")).Status);
    }

    [Theory]
    [InlineData("_<script>alert(1)</script>")]
    [InlineData("_a b")]
    [InlineData("_%00")]
    public async Task A_handle_whose_tenant_could_not_exist_is_no_handle(string suffix)
    {
        var answer = await core.SendAsync("GET", $"/recipe/session?sessionHandle=01a20de1-4e3a-7a03-b0ba-98a6280d90ef{suffix}");
        Assert.True(answer.Word is "UNAUTHORISED" || answer.Text == "Field name 'sessionHandle' is invalid in GET request\n", answer.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{")]
    [InlineData("{} trailing")]
    [InlineData("""{"userId":"a","userId":"b"}""")]
    [InlineData("{\"userId\":\"a\\u0000b\"}")]
    [InlineData("{\"userId\":\"\\ud800\"}")]
    [InlineData("{\"x\":{\"deep\\u0000\":1}}")]
    [InlineData("\uFEFF{}")]
    public async Task Bodies_that_are_no_json_object_are_refused(string body)
    {
        var refused = await core.PostAsync("/recipe/session", body);
        Assert.Equal((400, Text, "Invalid Json Input\n"), (refused.Status, refused.ContentType, refused.Text));
    }

    [Fact]
    public async Task Bad_utf8_depth_and_size_are_refused()
    {
        Assert.Equal("400 Invalid Json Input\n", (await core.SendAsync("POST", "/recipe/session", new byte[] { (byte)'{', (byte)'"', 0xC3, 0x28, (byte)'"', (byte)':', (byte)'1', (byte)'}' })).Word);
        Assert.Equal("400 Invalid Json Input: it may be nested 32 levels deep\n", (await core.PostAsync("/recipe/session", $"{{\"a\":{new string('[', 40)}{new string(']', 40)}}}")).Word);
        Assert.Equal("400 Invalid Json Input: it may be nested 32 levels deep\n", (await core.PostAsync("/recipe/session", $"{{\"a\":{new string('[', 32)}{new string(']', 32)}}}")).Word);
        Assert.Equal("400 Field name 'userId' is invalid in JSON input\n", (await core.PostAsync("/recipe/session", $"{{\"a\":{new string('[', 31)}{new string(']', 31)}}}")).Word);
        Assert.Equal("413 Request body is too large: it may have 1 MiB\n", (await core.PostAsync("/recipe/session", $"{{\"a\":\"{new string('x', 1024 * 1024)}\"}}")).Word);
    }

    [Theory]
    [InlineData("userId", """{"enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""")]
    [InlineData("userId", """{"userId":7,"enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""")]
    [InlineData("userId", """{"UserId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""")]
    [InlineData("userId", """{"userId":null,"enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""")]
    [InlineData("enableAntiCsrf", """{"userId":"u","enableAntiCsrf":"false","userDataInJWT":{},"userDataInDatabase":{}}""")]
    [InlineData("userDataInJWT", """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":[],"userDataInDatabase":{}}""")]
    [InlineData("userDataInDatabase", """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":null}""")]
    public async Task A_field_that_is_missing_or_mistyped_is_named(string field, string body)
    {
        var refused = await core.PostAsync("/recipe/session", body);
        Assert.Equal((400, $"Field name '{field}' is invalid in JSON input\n"), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task Query_parameters_must_be_there_once()
    {
        Assert.Equal((400, "Field name 'sessionHandle' is missing in GET request\n"), await StatusAndText("GET", "/recipe/session"));
        Assert.Equal(400, (await StatusAndText("GET", "/recipe/session/user?userId=a&userId=b")).Status);
        Assert.Equal(200, (await StatusAndText("GET", "/recipe/session/user?userId=a&fetchAcrossAllTenants=maybe")).Status);
        Assert.Equal(400, (await StatusAndText("GET", $"/recipe/session/user?userId={new string('x', 129)}")).Status);
    }

    [Theory]
    [InlineData("POST", "/recipe/signup", "the EmailPassword recipe")]
    [InlineData("POST", "/public/recipe/signin", "the EmailPassword recipe")]
    [InlineData("POST", "/recipe/user/password/reset/token", "the EmailPassword recipe")]
    [InlineData("POST", "/recipe/signinup", "the ThirdParty recipe")]
    [InlineData("POST", "/recipe/signinup/code", "the Passwordless recipe")]
    [InlineData("GET", "/recipe/user?userId=u", "the recipes for signing in")]
    [InlineData("GET", "/Recipe/User/EMAIL/verify/", "the EmailVerification recipe")]
    [InlineData("PUT", "/recipe/role", "the UserRoles recipe")]
    [InlineData("GET", "/recipe/user/roles?userId=u", "the UserRoles recipe")]
    [InlineData("GET", "/recipe/user/metadata?userId=u", "the UserMetadata recipe")]
    [InlineData("POST", "/recipe/totp/device", "the TOTP recipe")]
    [InlineData("POST", "/recipe/accountlinking/user/link", "the AccountLinking recipe")]
    [InlineData("POST", "/recipe/userid/map", "the UserIdMapping recipe")]
    [InlineData("POST", "/recipe/dashboard/signin", "the Dashboard recipe")]
    [InlineData("GET", "/recipe/oauth/clients/list", "the OAuth2Provider recipe")]
    public async Task What_grid_does_not_serve_is_said_in_the_answer_and_once_in_the_log(string method, string path, string recipe)
    {
        for (var i = 0; i < 3; i++)
        {
            var answer = await core.SendAsync(method, path, method == "GET" ? null : "{}");
            Assert.Equal((404, Text), (answer.Status, answer.ContentType));
            Assert.Equal(
                $"Not found: this core is Grid, which serves sessions, JWTs and multi-tenancy, but not {recipe}. Take that out of the SDK's recipe list, or send its requests to a core that serves it\n",
                answer.Text);
        }

        Assert.Single(core.Log.Lines, line => line.Id == 3104 && line.Text.Contains($"does not serve {recipe} of", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET", "/recipe/nothing")]
    [InlineData("POST", "/recipe/handshake")]
    [InlineData("POST", "/recipe/userx")]
    [InlineData("GET", "/recipe")]
    [InlineData("GET", "/signup")]
    public async Task What_nobody_serves_is_just_not_found(string method, string path) =>
        Assert.Equal((404, "Not found\n"), await StatusAndText(method, path));

    private IEnumerable<(string Method, string Path)> Routes()
    {
        // Read from the host itself: a route that is added is tested without anybody thinking of it.
        return core.Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<CoreRoute>() is not null)
            .Select(e => (e.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods[0], e.RoutePattern.RawText!));
    }

    private async Task<(int Status, string Text)> StatusAndText(string method, string path, string? version = null)
    {
        var answer = await core.SendAsync(method, path, null, version);
        return (answer.Status, answer.Text);
    }
}
