using System.Net.Sockets;
using System.Text;
using Grid.Abstractions.Apps;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests;

public sealed class MultitenancyWireTests(CoreHost core)
{
    [Fact]
    public async Task An_app_is_made_changed_listed_and_removed()
    {
        var appId = $"a-{Guid.NewGuid():N}";
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = appId.ToUpperInvariant() })).Text);
        Assert.Equal("""{"status":"OK","createdNew":false}""", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId, firstFactors = new[] { "otp-email" } })).Text);
        var listed = (await core.SendAsync("GET", "/recipe/multitenancy/app/list/v2")).Json["apps"]!.AsArray().Single(a => $"{a!["appId"]}" == appId);
        Assert.Equal(
            """[{"tenantId":"public","thirdParty":{"providers":[]},"firstFactors":["otp-email"],"coreConfig":{}}]""",
            listed!["tenants"]!.ToJsonString());
        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync("/recipe/multitenancy/app/remove", new { appId })).Text);
        Assert.Equal("""{"status":"OK","didExist":false}""", (await core.PostAsync("/recipe/multitenancy/app/remove", new { appId })).Text);
    }

    [Fact]
    public async Task A_removed_app_takes_its_sessions_and_keys_with_it()
    {
        var app = await core.CreateAppAsync();
        var session = await core.CreateSessionAsync(app);
        var appId = app["/appid-".Length..];
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        Assert.Equal(403, (await core.PostAsync("/recipe/multitenancy/app/remove", new { appId })).Status);
        await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" });

        await core.PostAsync("/recipe/multitenancy/app/remove", new { appId });
        Assert.Equal(400, (await core.SendAsync("GET", $"{app}/apiversion")).Status);
        await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId });

        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={session["session"]!["handle"]}")).Word);
        Assert.Equal("TRY_REFRESH_TOKEN", (await core.VerifyAsync(app, $"{session["accessToken"]!["token"]}")).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, $"{session["refreshToken"]!["token"]}")).Word);
    }

    [Fact]
    public async Task A_removal_that_failed_half_way_ends_the_tenants_sessions_when_it_is_repeated()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var session = await core.CreateSessionAsync($"{app}/t1");
        var (accessToken, refreshToken) = ($"{session["accessToken"]!["token"]}", $"{session["refreshToken"]!["token"]}");
        var appId = app["/appid-".Length..];
        core.Store.TakeAway(appId);
        Assert.Equal(503, (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Status);
        core.Store.GiveBack(appId);

        // Unknown from the first step on, though its sessions are still in the store.
        Assert.Equal(400, (await core.PostAsync($"{app}/t1/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } })).Status);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, accessToken)).Word);
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, accessToken, version: "5.4", checkDatabase: true)).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, refreshToken)).Word);
        Assert.Equal("UNAUTHORISED", (await core.PostAsync($"{app}/recipe/session/regenerate", new { accessToken, userDataInJWT = new { } })).Word);

        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Text);
        Assert.Equal("""{"status":"OK","didExist":false}""", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Text);
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        Assert.Equal("UNAUTHORISED", (await core.VerifyAsync(app, accessToken)).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, refreshToken)).Word);
    }

    [Fact]
    public async Task A_create_that_a_removal_overtakes_leaves_no_session()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        core.Store.BeforeInsert(app["/appid-".Length..], async () =>
            Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" })).Word));

        var late = await core.PostAsync($"{app}/t1/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });

        Assert.Equal(503, late.Status);
        Assert.Empty((await core.SendAsync("GET", $"{app}/recipe/session/user?userId=u")).Json["sessionHandles"]!.AsArray());
    }

    [Fact]
    public async Task A_tenant_is_made_read_listed_and_removed_in_both_shapes()
    {
        var app = await core.CreateAppAsync();
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant", new { tenantId = "Old", emailPasswordEnabled = true })).Text);
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "new", coreConfig = new { email_verification_token_lifetime = 5 } })).Text);

        Assert.Equal(
            """{"status":"OK","tenantId":"old","emailPassword":{"enabled":true},"thirdParty":{"enabled":false,"providers":[]},"passwordless":{"enabled":false},"coreConfig":{}}""",
            (await core.SendAsync("GET", $"{app}/old/recipe/multitenancy/tenant")).Text);
        Assert.Equal(
            """{"status":"OK","tenantId":"new","thirdParty":{"providers":[]},"firstFactors":[],"coreConfig":{"email_verification_token_lifetime":5}}""",
            (await core.SendAsync("GET", $"{app}/new/recipe/multitenancy/tenant/v2")).Text);
        Assert.Equal("""{"status":"TENANT_NOT_FOUND_ERROR"}""", (await core.SendAsync("GET", $"{app}/none/recipe/multitenancy/tenant/v2")).Text);
        Assert.Equal(["public", "new", "old"], (await core.SendAsync("GET", $"{app}/recipe/multitenancy/tenant/list/v2")).Json["tenants"]!.AsArray().Select(t => $"{t!["tenantId"]}"));
        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "old" })).Text);
    }

    [Theory]
    [InlineData("""{"emailPasswordEnabled":true}""", """["emailpassword"]""")]
    [InlineData("""{"thirdPartyEnabled":true}""", """["thirdparty"]""")]
    [InlineData("""{"passwordlessEnabled":true,"thirdPartyEnabled":true}""", """["thirdparty","otp-email","otp-phone","link-email","link-phone"]""")]
    [InlineData("""{"emailPasswordEnabled":true,"thirdPartyEnabled":true,"passwordlessEnabled":true}""", null)]
    [InlineData("{}", "[]")]
    [InlineData("""{"emailPasswordEnabled":true,"firstFactors":["emailpassword","custom"]}""", """["emailpassword","custom"]""")]
    public async Task A_tenant_of_the_older_shape_is_read_by_the_newer_with_the_factors_that_are_on(string switches, string? factors)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant", switches.Replace("{", """{"tenantId":"t1",""", StringComparison.Ordinal).Replace(",}", "}", StringComparison.Ordinal));

        var read = await core.SendAsync("GET", $"{app}/t1/recipe/multitenancy/tenant/v2");

        Assert.Equal(
            $$$"""{"status":"OK","tenantId":"t1","thirdParty":{"providers":[]},{{{(factors is null ? "" : $"\"firstFactors\":{factors},")}}}"coreConfig":{}}""", read.Text);
    }

    [Fact]
    public async Task The_older_shape_takes_factors_of_methods_that_are_on_only_and_before_5_0_none()
    {
        var app = await core.CreateAppAsync();
        var path = $"{app}/recipe/multitenancy/tenant";
        Assert.Equal(
            "400 Invalid core config: firstFactors should not contain 'otp-phone' because passwordless is disabled for the tenant.\n",
            (await core.SendAsync("PUT", path, new { tenantId = "t1", emailPasswordEnabled = true, firstFactors = new[] { "emailpassword", "otp-phone" } })).Word);
        Assert.Equal("TENANT_NOT_FOUND_ERROR", (await core.SendAsync("GET", $"{app}/t1/recipe/multitenancy/tenant/v2")).Word);

        await core.SendAsync("PUT", path, new { tenantId = "t1", emailPasswordEnabled = true, requiredSecondaryFactors = new[] { "emailpassword", "totp" } });
        Assert.Equal(
            "400 Invalid core config: requiredSecondaryFactors should not contain 'emailpassword' because emailPassword is disabled for the tenant.\n",
            (await core.SendAsync("PUT", path, new { tenantId = "t1", emailPasswordEnabled = false })).Word);

        Assert.Equal("OK", (await core.SendAsync("PUT", path, new { tenantId = "t2", thirdPartyEnabled = true, firstFactors = new[] { "otp-phone" } }, "4.0")).Word);
        Assert.Equal(
            """{"status":"OK","tenantId":"t2","thirdParty":{"providers":[]},"firstFactors":["thirdparty"],"coreConfig":{}}""",
            (await core.SendAsync("GET", $"{app}/t2/recipe/multitenancy/tenant/v2")).Text);
    }

    [Theory]
    [InlineData("5.6", true)]
    [InlineData("4.0", false)]
    public async Task A_tenant_of_the_newer_shape_is_read_by_the_older_as_its_version_has_it(string version, bool hasFactors)
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "some", firstFactors = new[] { "otp-email" }, requiredSecondaryFactors = new[] { "totp" } });
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "none" });
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", """{"tenantId":"all","firstFactors":null,"requiredSecondaryFactors":null}""");
        static string Shape(string id, bool emailPassword, bool thirdParty, bool passwordless, string factors = "") => $$$"""
            "tenantId":"{{{id}}}","emailPassword":{"enabled":{{{(emailPassword ? "true" : "false")}}}},"thirdParty":{"enabled":{{{(thirdParty ? "true" : "false")}}},"providers":[]},"passwordless":{"enabled":{{{(passwordless ? "true" : "false")}}}},{{{factors}}}"coreConfig":{}}
            """;

        string[] expected =
        [
            Shape("some", hasFactors, hasFactors, true, hasFactors ? "\"firstFactors\":[\"otp-email\"],\"requiredSecondaryFactors\":[\"totp\"]," : ""),
            Shape("none", false, false, false),
            Shape("all", true, true, true),
        ];
        foreach (var (id, shape) in ((string[])["some", "none", "all"]).Zip(expected))
        {
            Assert.Equal($$"""{"status":"OK",{{shape}}""", (await core.SendAsync("GET", $"{app}/{id}/recipe/multitenancy/tenant", null, version)).Text);
            Assert.Contains($"{{{shape}", (await core.SendAsync("GET", $"{app}/recipe/multitenancy/tenant/list", null, version)).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_a_provider_does_not_say_is_left_out_and_its_parameters_keep_their_nulls()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync(
            "PUT", $"{app}/recipe/multitenancy/config/thirdparty",
            """{"config":{"thirdPartyId":"x","name":null,"clients":[{"clientId":"c","clientSecret":null,"additionalConfig":{"a":null,"b":1}}],"authorizationEndpointQueryParams":{"prompt":null},"userInfoMap":{"fromIdTokenPayload":{"email":null}}}}""");

        Assert.Equal(
            """[{"thirdPartyId":"x","clients":[{"clientId":"c","additionalConfig":{"b":1}}],"authorizationEndpointQueryParams":{"prompt":null},"userInfoMap":{"fromIdTokenPayload":{}}}]""",
            (await core.SendAsync("GET", $"{app}/recipe/multitenancy/tenant/v2")).Json["thirdParty"]!["providers"]!.ToJsonString());
    }

    [Theory]
    [InlineData("/recipe/multitenancy/app/v2", "appId")]
    [InlineData("/recipe/multitenancy/app", "appId")]
    [InlineData("/recipe/multitenancy/tenant/v2", "tenantId")]
    [InlineData("/recipe/multitenancy/tenant", "tenantId")]
    public async Task An_id_that_is_too_long_is_refused_for_its_length(string path, string field)
    {
        var longest = $"{Guid.NewGuid():N}{Guid.NewGuid():N}";
        var app = field == "appId" ? "" : await core.CreateAppAsync();
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", app + path, new Dictionary<string, string> { [field] = longest })).Text);
        Assert.Equal($"400 {field} may have at most 64 characters, and this one has 65\n", (await core.SendAsync("PUT", app + path, new Dictionary<string, string> { [field] = longest + "x" })).Word);
        Assert.Equal($"400 {field} should not be an empty String\n", (await core.SendAsync("PUT", app + path, new Dictionary<string, string> { [field] = " " })).Word);
        var remove = path.EndsWith("/v2", StringComparison.Ordinal) ? path[..^3] : path;
        Assert.Equal($"400 {field} may have at most 64 characters, and this one has 65\n", (await core.PostAsync($"{app}{remove}/remove", new Dictionary<string, string> { [field] = longest + "x" })).Word);
        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync($"{app}{remove}/remove", new Dictionary<string, string> { [field] = longest })).Text);
    }

    [Theory]
    [InlineData("recipe", "Cannot use 'recipe' as a tenantId")]
    [InlineData("appid-x", "tenantId must not start with 'appid-'")]
    [InlineData("a_b", "tenantId can only contain letters, numbers and hyphens")]
    public async Task Tenant_ids_that_paths_could_not_tell_apart_are_refused(string tenantId, string text) =>
        Assert.Equal($"400 {text}\n", (await core.SendAsync("PUT", "/recipe/multitenancy/tenant/v2", new { tenantId })).Word);

    [Fact]
    public async Task Only_the_public_tenant_manages()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });

        Assert.Equal(403, (await core.SendAsync("PUT", $"{app}/t1/recipe/multitenancy/tenant/v2", new { tenantId = "t2" })).Status);
        Assert.Equal(403, (await core.SendAsync("PUT", $"{app}/recipe/multitenancy/app/v2", new { appId = "x" })).Status);
        Assert.Equal(403, (await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "public" })).Status);
        Assert.Equal(403, (await core.PostAsync("/recipe/multitenancy/app/remove", new { appId = "public" })).Status);
        Assert.Equal("400 Cannot modify base config\n", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = "public", coreConfig = new { access_token_validity = 5 } })).Word);
    }

    [Theory]
    [InlineData("emailPasswordEnabled")]
    [InlineData("thirdPartyEnabled")]
    [InlineData("passwordlessEnabled")]
    public async Task The_newer_shape_refuses_the_switches_of_the_older(string field) => Assert.Equal(
        $"400 {field} is not allowed in this API version\n",
        (await core.SendAsync("PUT", "/recipe/multitenancy/tenant/v2", $$"""{"tenantId":"t1","{{field}}":true}""")).Word);

    [Fact]
    public async Task Factors_are_named_once()
    {
        foreach (var field in new[] { "firstFactors", "requiredSecondaryFactors" })
        {
            Assert.Equal(
                $"400 {field} input should not contain duplicate values\n",
                (await core.SendAsync("PUT", "/recipe/multitenancy/tenant/v2", $$"""{"tenantId":"t1","{{field}}":["a","b","a"]}""")).Word);
        }
    }

    [Fact]
    public void No_route_begins_with_what_could_be_a_tenant() => Assert.All(core.Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>(), route =>
    {
        var first = route.RoutePattern.RawText!.Split('/')[1];
        Assert.True(first.Length == 0 || first.StartsWith('.') || Core.CorePath.ReservedWords.Contains(first), first);
    });

    [Fact]
    public async Task A_tenants_removal_ends_its_sessions()
    {
        var app = await core.CreateAppAsync();
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });
        var session = await core.CreateSessionAsync($"{app}/t1");
        await core.PostAsync($"{app}/recipe/multitenancy/tenant/remove", new { tenantId = "t1" });
        await core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId = "t1" });

        Assert.Equal("UNAUTHORISED", (await core.SendAsync("GET", $"{app}/recipe/session?sessionHandle={session["session"]!["handle"]}")).Word);
        Assert.Equal("UNAUTHORISED", (await core.RefreshAsync(app, $"{session["refreshToken"]!["token"]}")).Word);
    }

    [Theory]
    [InlineData("""{"nonsense":1}""", "nonsense")]
    [InlineData("""{"access_token_validity":-1}""", "access_token_validity")]
    [InlineData("""{"api_keys":"short"}""", "too short")]
    public async Task Bad_core_config_is_refused_by_name(string config, string part)
    {
        var refused = await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", $$"""{"appId":"bad-{{Guid.NewGuid():N}}","coreConfig":{{config}}}""");
        Assert.Equal(400, refused.Status);
        Assert.StartsWith("Invalid core config: ", refused.Text, StringComparison.Ordinal);
        Assert.Contains(part, refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_uri_domains_have_apps_and_settings_of_their_own()
    {
        var domain = $"d{Guid.NewGuid():N}.example";
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = domain, coreConfig = new { access_token_validity = 77 } })).Text);
        Assert.Equal("OK", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = "a1" }, null, ("Host", domain))).Word);

        var session = await core.SendAsync("POST", "/appid-a1/recipe/session", new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } }, null, ("Host", domain));
        Assert.Equal("OK", session.Word);
        Assert.Equal($"(, a1, public)", (await core.SendAsync("GET", "/appid-a1/apiversion")).Text.Trim()[^14..].TrimStart());
        var tenant = await core.SendAsync("GET", "/recipe/multitenancy/tenant/v2", null, null, ("Host", domain));
        Assert.Equal("""{"access_token_validity":77}""", tenant.Json["coreConfig"]!.ToJsonString());
        var listed = (await core.SendAsync("GET", "/recipe/multitenancy/connectionuridomain/list/v2")).Json["connectionUriDomains"]!.AsArray().Single(d => $"{d!["connectionUriDomain"]}" == domain);
        Assert.Equal(["public", "a1"], listed!["apps"]!.AsArray().Select(a => $"{a!["appId"]}"));
        Assert.Equal(403, (await core.PostAsync("/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = domain })).Status);
        await core.SendAsync("POST", "/recipe/multitenancy/app/remove", new { appId = "a1" }, null, ("Host", domain));
        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync("/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = domain })).Text);
    }

    [Fact]
    public async Task A_domain_is_a_host_name_without_port_however_it_is_written_and_asked_for()
    {
        var domain = $"d{Guid.NewGuid():N}.example";
        async Task<CoreAnswer> Put(string written) => await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = written });
        async Task<string> Config(string host) =>
            (await core.SendAsync("GET", "/recipe/multitenancy/tenant/v2", null, null, ("Host", host))).Text;

        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = $"  {domain.ToUpperInvariant()}:8443 ", coreConfig = new { access_token_validity = 77 } })).Text);
        Assert.Equal("""{"status":"OK","createdNew":false}""", (await Put(domain)).Text);
        Assert.Equal("""{"status":"OK","createdNew":false}""", (await Put($"{domain}:1")).Text);
        var listed = (await core.SendAsync("GET", "/recipe/multitenancy/connectionuridomain/list/v2")).Json["connectionUriDomains"]!.AsArray().Select(d => $"{d!["connectionUriDomain"]}");
        Assert.Single(listed, d => d.StartsWith(domain, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(domain, listed);
        foreach (var host in (string[])[domain, $"{domain}:80", $"{domain}:3567", domain.ToUpperInvariant(), $"{domain.ToUpperInvariant()}:443", $"{domain}.", $"{domain}.:3567"])
        {
            Assert.Contains("\"access_token_validity\":77", await Config(host), StringComparison.Ordinal);
        }

        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync("/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = $"{domain}:99" })).Text);
        foreach (var bad in (string[])["http://localhost", "localhost:abc", "localhost:1:2", "localhost:1/x", "localhost/x", "abc..", "a+b.example", ":3567", ":", "a.example:", "*", ".a", "a..b", "[::1", "[x]", "a b", new string('a', 256)])
        {
            Assert.StartsWith("400 connectionUriDomain is invalid", (await Put(bad)).Word, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]", "[2001:db8::1]", "[2001:db8:0::1]:3567")]
    [InlineData("[::ffff:102:304]", "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", "[0:0:0:0:0:FFFF:102:304]:80")]
    [InlineData("Full.Example.", "full.example", "full.example", "full.example.:3567")]
    [InlineData("full.example.:65535", "full.example", "full.example.", "FULL.example")]
    public async Task All_spellings_of_a_domain_are_one(string written, string stored, params string[] hosts)
    {
        var put = await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = written, coreConfig = new { access_token_validity = 78 } });
        Assert.Equal("""{"status":"OK","createdNew":true}""", put.Text);
        Assert.Contains(stored, await DomainsAsync());
        foreach (var host in hosts)
        {
            Assert.Contains("\"access_token_validity\":78", (await core.SendAsync("GET", "/recipe/multitenancy/tenant/v2", null, null, ("Host", host))).Text, StringComparison.Ordinal);
        }

        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync("/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = hosts[^1] })).Text);
        Assert.DoesNotContain(stored, await DomainsAsync());
    }

    [Theory]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[fe80::1%1]")]
    [InlineData("foo.example:65536")]
    [InlineData("foo.example:99999999")]
    [InlineData("foo.example:99999999999999999999")]
    [InlineData("foo.example..")]
    [InlineData("[::1].x")]
    public async Task What_no_Host_header_can_say_is_no_domain(string written) => Assert.StartsWith(
        "400 connectionUriDomain is invalid",
        (await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = written })).Word,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("foo.example.com..")]
    [InlineData("foo.example.com..:3567")]
    [InlineData("foo..example.com")]
    [InlineData(".example.com")]
    public async Task A_Host_that_is_no_name_is_not_served_as_the_default_domain(string host)
    {
        // HttpClient does not send such a name as it is.
        using var connection = new TcpClient(core.Url.Host, core.Url.Port);
        var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /apiversion HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        var answer = await new StreamReader(stream).ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nHost header is invalid: it has two dots in a row or one in front\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("old.example:8443", "OLD.example:8443")]
    [InlineData("[2001:db8:0:0:0:0:0:2]", "[2001:db8::2]")]
    [InlineData("[fe80::1%eth0]", "[fe80::1%eth0]")]
    public async Task A_domain_that_an_earlier_build_stored_otherwise_can_be_updated_and_removed(string stored, string written)
    {
        var catalog = core.Services.GetRequiredService<IGrainFactory>().GetGrain<ICatalogGrain>(0);
        var made = await catalog.PutDomainAsync(stored, new TenantChange(), CancellationToken.None);
        Assert.Equal(PutOutcome.Created, made.Outcome);

        var put = await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = written, coreConfig = new { access_token_validity = 79 } });
        Assert.Equal("""{"status":"OK","createdNew":false}""", put.Text);
        Assert.Single(await DomainsAsync(), stored);
        if (!stored.Contains('%', StringComparison.Ordinal))
        {
            Assert.Contains("\"access_token_validity\":79", (await core.SendAsync("GET", "/recipe/multitenancy/tenant/v2", null, null, ("Host", written))).Text, StringComparison.Ordinal);
        }

        Assert.Equal("""{"status":"OK","didExist":true}""", (await core.PostAsync("/recipe/multitenancy/connectionuridomain/remove", new { connectionUriDomain = written })).Text);
        Assert.DoesNotContain(stored, await DomainsAsync());
    }

    [Fact]
    public async Task Provider_entries_are_kept_and_core_config_is_explained()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 7 });
        Assert.Equal("""{"status":"OK","createdNew":true}""", (await core.SendAsync("PUT", $"{app}/recipe/multitenancy/config/thirdparty", new { config = new { thirdPartyId = "google", clients = Array.Empty<string>() } })).Text);
        Assert.Equal("google", $"{(await core.SendAsync("GET", $"{app}/recipe/multitenancy/tenant/v2")).Json["thirdParty"]!["providers"]![0]!["thirdPartyId"]}");
        Assert.Equal("""{"status":"OK","didConfigExist":true}""", (await core.PostAsync($"{app}/recipe/multitenancy/config/thirdparty/remove", new { thirdPartyId = "google" })).Text);
        foreach (var none in (string[])["", " ", "google", "\u0001"])
        {
            Assert.Equal("""{"status":"OK","didConfigExist":false}""", (await core.PostAsync($"{app}/recipe/multitenancy/config/thirdparty/remove", new { thirdPartyId = none })).Text);
        }

        Assert.Equal("""{"status":"UNKNOWN_USER_ID_ERROR"}""", (await core.PostAsync($"{app}/recipe/multitenancy/tenant/user", new { recipeUserId = "u" })).Text);
        var config = (await core.SendAsync("GET", $"{app}/recipe/dashboard/tenant/core-config")).Json["config"]!.AsArray();
        var validity = config.Single(c => $"{c!["key"]}" == "access_token_validity")!;
        Assert.Equal((7, 3600, "number"), (validity["value"]!.GetValue<int>(), validity["defaultValue"]!.GetValue<int>(), $"{validity["valueType"]}"));
        Assert.DoesNotContain(config, c => $"{c!["key"]}" == "api_keys");
    }

    private async Task<IEnumerable<string>> DomainsAsync() =>
        (await core.SendAsync("GET", "/recipe/multitenancy/connectionuridomain/list/v2")).Json["connectionUriDomains"]!.AsArray().Select(d => $"{d!["connectionUriDomain"]}");
}
