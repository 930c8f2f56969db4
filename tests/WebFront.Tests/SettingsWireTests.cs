namespace Grid.WebFront.Tests;

/// <summary>A setting that is taken is obeyed, or refused with a reason: at every level.</summary>
public sealed class SettingsWireTests(CoreHost core)
{
    private static readonly object Session = new { userId = "u", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } };

    [Fact]
    public async Task A_tenants_own_address_rules_hold_for_that_tenant()
    {
        var app = await core.CreateAppAsync();
        await PutTenantAsync(app, "open", new { });
        Assert.Equal("OK", (await PutTenantAsync(app, "closed", new { ip_allow_regex = "10\\..*" })).Word);
        Assert.Equal("OK", (await PutTenantAsync(app, "denied", new { ip_deny_regex = "127\\..*|::1" })).Word);

        foreach (var tenant in new[] { "closed", "denied" })
        {
            Assert.Equal("403 IP not allowed\n", (await core.PostAsync($"{app}/{tenant}/recipe/session", Session)).Word);
            Assert.Equal("403 IP not allowed\n", (await core.SendAsync("GET", $"{app}/{tenant}/recipe/multitenancy/tenant/v2")).Word);
        }

        Assert.Equal("OK", (await core.PostAsync($"{app}/open/recipe/session", Session)).Word);
        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session", Session)).Word);

        // Taken back, and at once everywhere.
        Assert.Equal("OK", (await PutTenantAsync(app, "closed", new { ip_allow_regex = (string?)null })).Word);
        Assert.Equal("OK", (await PutTenantAsync(app, "denied", new { ip_deny_regex = "" })).Word);
        Assert.Equal("OK", (await core.PostAsync($"{app}/closed/recipe/session", Session)).Word);
        Assert.Equal("OK", (await core.PostAsync($"{app}/denied/recipe/session", Session)).Word);
    }

    [Fact]
    public async Task A_tenant_without_a_rule_has_its_apps_and_its_own_replaces_it()
    {
        var app = await core.CreateAppAsync();
        await PutTenantAsync(app, "t1", new { });
        await PutTenantAsync(app, "t2", new { ip_deny_regex = "10\\..*" });
        Assert.Equal("OK", (await PutAppAsync(app, new { ip_deny_regex = "127\\..*|::1" })).Word);

        Assert.Equal(403, (await core.PostAsync($"{app}/t1/recipe/session", Session)).Status);
        Assert.Equal("OK", (await core.PostAsync($"{app}/t2/recipe/session", Session)).Word);
    }

    [Theory]
    [InlineData("access_token_validity", "77")]
    [InlineData("access_token_validity", "\"77\"")]
    [InlineData("refresh_token_validity", "90")]
    [InlineData("access_token_dynamic_signing_key_update_interval", "24")]
    [InlineData("api_keys", "\"key-of-a-tenant-0123456789\"")]
    [InlineData("recent_token_reuse_behaviour", "\"UNAUTHORISED\"")]
    [InlineData("stale_session_behaviour", "\"BOUNDED\"")]
    [InlineData("supertokens_max_cdi_version", "\"5.0\"")]
    [InlineData("password_hashing_alg", "\"ARGON2\"")]
    [InlineData("disable_telemetry", "true")]
    public async Task A_tenant_cannot_have_otherwise_what_is_one_for_its_app(string key, string value)
    {
        var app = await core.CreateAppAsync();
        var refused = await PutTenantAsync(app, "t1", $$"""{"{{key}}":{{value}}}""");

        Assert.Equal($"400 Invalid core config: You cannot set different values for {key} for the same appId\n", refused.Word);
        Assert.Equal("TENANT_NOT_FOUND_ERROR", (await core.SendAsync("GET", $"{app}/t1/recipe/multitenancy/tenant/v2")).Word);
    }

    [Fact]
    public async Task A_tenant_may_repeat_its_apps_value_and_then_the_app_cannot_leave_it_behind()
    {
        var app = await core.CreateAppAsync(new { access_token_validity = 77 });
        Assert.Equal("OK", (await PutTenantAsync(app, "t1", new { access_token_validity = 77 })).Word);

        Assert.Equal(
            "400 Invalid core config: You cannot set different values for access_token_validity for the same appId\n", (await PutAppAsync(app, new { access_token_validity = 78 })).Word);
        Assert.Equal("OK", (await PutAppAsync(app, new { refresh_token_validity = 90 })).Word);
        Assert.Equal("OK", (await PutTenantAsync(app, "t1", new { access_token_validity = (int?)null })).Word);
        Assert.Equal("OK", (await PutAppAsync(app, new { access_token_validity = 78 })).Word);
    }

    [Theory]
    [InlineData("port", "3568")]
    [InlineData("host", "\"0.0.0.0\"")]
    [InlineData("base_path", "\"/core\"")]
    [InlineData("log_level", "\"DEBUG\"")]
    [InlineData("max_server_pool_size", "20")]
    [InlineData("webserver_https_enabled", "true")]
    [InlineData("deadlock_logger_enable", "true")]
    [InlineData("supertokens_saas_secret", "\"x\"")]
    [InlineData("bcrypt_log_rounds", "12")]
    public async Task What_only_the_installation_can_have_is_refused_to_apps_and_tenants(string key, string value)
    {
        var app = await core.CreateAppAsync();
        var refusal = $"400 Invalid core config: {key} can only be set via the core's base config setting\n";

        Assert.Equal(refusal, (await PutAppAsync(app, $$"""{"{{key}}":{{value}}}""")).Word);
        Assert.Equal(refusal, (await PutTenantAsync(app, "t1", $$"""{"{{key}}":{{value}}}""")).Word);
    }

    [Theory]
    [InlineData("postgresql_connection_uri", "\"postgresql://u@db/other\"")]
    [InlineData("postgresql_host", "\"db\"")]
    [InlineData("postgresql_connection_pool_size", "5")]
    [InlineData("postgresql_table_names_prefix", "\"x\"")]
    public async Task A_database_of_its_own_is_refused_to_apps_and_tenants(string key, string value)
    {
        var app = await core.CreateAppAsync();
        foreach (var refused in new[] { await PutAppAsync(app, $$"""{"{{key}}":{{value}}}"""), await PutTenantAsync(app, "t1", $$"""{"{{key}}":{{value}}}""") })
        {
            Assert.Equal(400, refused.Status);
            Assert.Contains(key, refused.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Settings_of_other_recipes_are_known_kept_and_converted()
    {
        var app = await core.CreateAppAsync(new { bulk_migration_sleep_between_rounds_in_batch_ms = "7", password_hashing_alg = "argon2", access_token_blacklisting = "false" });
        Assert.Equal("OK", (await PutTenantAsync(app, "t1", new { totp_max_attempts = "9" })).Word);

        Assert.Equal(
            """{"bulk_migration_sleep_between_rounds_in_batch_ms":7,"password_hashing_alg":"ARGON2","access_token_blacklisting":false}""",
            (await core.SendAsync("GET", $"{app}/recipe/multitenancy/tenant/v2")).Json["coreConfig"]!.ToJsonString());
        Assert.Equal("""{"totp_max_attempts":9}""", (await core.SendAsync("GET", $"{app}/t1/recipe/multitenancy/tenant/v2")).Json["coreConfig"]!.ToJsonString());
        Assert.Equal("400 Invalid core config: 'totp_max_attempts' must be of type int\n", (await PutTenantAsync(app, "t1", new { totp_max_attempts = "many" })).Word);
    }

    [Fact]
    public async Task Versions_beyond_an_apps_bounds_are_neither_offered_nor_served()
    {
        var app = await core.CreateAppAsync(new { supertokens_max_cdi_version = "5.0", supertokens_min_cdi_version = "3.0" });

        Assert.Equal("""{"versions":["3.0","3.1","4.0","5.0"]}""", (await core.SendAsync("GET", $"{app}/apiversion")).Text);
        Assert.Equal("400 cdi-version 5.1 not supported\n", (await core.PostAsync($"{app}/recipe/session", Session, "5.1")).Word);
        Assert.Equal("400 cdi-version 2.21 not supported\n", (await core.PostAsync($"{app}/recipe/session", Session, "2.21")).Word);
        Assert.Equal("OK", (await core.PostAsync($"{app}/recipe/session", Session, "5.0")).Word);

        // Without a version it is the newest that is left: 5.6 would refuse a tenant's verify.
        await PutTenantAsync(app, "t1", new { });
        Assert.NotEqual(403, (await core.PostAsync($"{app}/t1/recipe/session/verify", new { })).Status);
        Assert.StartsWith("400 Invalid core config", (await PutAppAsync(app, new { supertokens_max_cdi_version = "9.9" })).Word, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_connection_uri_domain_sets_holds_for_its_apps()
    {
        var domain = $"d{Guid.NewGuid():N}.example";
        var host = ("Host", domain);
        await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = domain, coreConfig = new { access_token_validity = 77, refresh_token_validity = 90 } });
        await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = "a1", coreConfig = new { refresh_token_validity = 60 } }, null, host);

        var config = (await core.SendAsync("GET", "/appid-a1/recipe/dashboard/tenant/core-config", null, null, host)).Json["config"]!.AsArray();
        Assert.Equal((77, 60), (config.Single(c => $"{c!["key"]}" == "access_token_validity")!["value"]!.GetValue<int>(), config.Single(c => $"{c!["key"]}" == "refresh_token_validity")!["value"]!.GetValue<int>()));
        var session = (await core.SendAsync("POST", "/appid-a1/recipe/session", Session, null, host)).Json;
        var token = session["accessToken"]!;
        Assert.InRange(token["expiry"]!.GetValue<long>() - token["createdTime"]!.GetValue<long>(), 73_000, 77_000);
    }

    [Fact]
    public async Task The_keys_of_a_connection_uri_domain_guard_its_apps_and_the_names_of_none()
    {
        const string Key = "key-of-a-domain-0123456789";
        var domain = $"d{Guid.NewGuid():N}.example";
        (string, string)[] stranger = [("Host", domain)];
        (string, string)[] owner = [("Host", domain), ("api-key", Key)];
        await core.SendAsync("PUT", "/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = domain, coreConfig = new { api_keys = Key } });
        Assert.Equal("OK", (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = "a1" }, null, owner)).Word);

        foreach (var app in new[] { "a1", "none" })
        {
            Assert.Equal("401 Invalid API key\n", (await core.SendAsync("POST", $"/appid-{app}/recipe/session", Session, null, stranger)).Word);
        }

        Assert.Equal("OK", (await core.SendAsync("POST", "/appid-a1/recipe/session", Session, null, owner)).Word);
        Assert.Equal(400, (await core.SendAsync("POST", "/appid-none/recipe/session", Session, null, owner)).Status);
    }

    [Fact]
    public async Task The_dashboard_sees_every_setting_that_is_obeyed_with_its_effective_value()
    {
        var app = await core.CreateAppAsync(new { stale_session_behaviour = "BOUNDED", access_token_validity = "77", ip_deny_regex = "10\\..*" });
        await PutTenantAsync(app, "t1", new { ip_deny_regex = "11\\..*" });

        var config = (await core.SendAsync("GET", $"{app}/recipe/dashboard/tenant/core-config")).Json["config"]!.AsArray();
        Assert.Equal(
            ["ip_allow_regex", "ip_deny_regex", "access_token_validity", "refresh_token_validity", "session_max_lifetime", "access_token_dynamic_signing_key_update_interval", "access_token_validity_jitter", "refresh_token_rotation_grace_period", "recent_token_reuse_behaviour", "stale_session_behaviour"],
            config.Select(c => $"{c!["key"]}"));
        var stale = config.Single(c => $"{c!["key"]}" == "stale_session_behaviour")!;
        Assert.Equal(("BOUNDED", "STRICT", "enum", """["STRICT","BOUNDED"]"""), ($"{stale["value"]}", $"{stale["defaultValue"]}", $"{stale["valueType"]}", stale["possibleValues"]!.ToJsonString()));
        Assert.Equal("77", config.Single(c => $"{c!["key"]}" == "access_token_validity")!["value"]!.ToJsonString());
        Assert.Equal("144000", config.Single(c => $"{c!["key"]}" == "refresh_token_validity")!["defaultValue"]!.ToJsonString());

        var ofTenant = (await core.SendAsync("GET", $"{app}/t1/recipe/dashboard/tenant/core-config")).Json["config"]!.AsArray();
        var deny = ofTenant.Single(c => $"{c!["key"]}" == "ip_deny_regex")!;
        Assert.Equal(("11\\..*", true, true), ($"{deny["value"]}", deny["isDifferentAcrossTenants"]!.GetValue<bool>(), deny["isNullable"]!.GetValue<bool>()));
        Assert.Equal("77", ofTenant.Single(c => $"{c!["key"]}" == "access_token_validity")!["value"]!.ToJsonString());
    }

    private Task<CoreAnswer> PutTenantAsync(string app, string tenantId, object config) => core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", new { tenantId, coreConfig = config });

    private Task<CoreAnswer> PutTenantAsync(string app, string tenantId, string config) =>
        core.SendAsync("PUT", $"{app}/recipe/multitenancy/tenant/v2", $$"""{"tenantId":"{{tenantId}}","coreConfig":{{config}}}""");

    private Task<CoreAnswer> PutAppAsync(string app, object config) => core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = app["/appid-".Length..], coreConfig = config });

    private Task<CoreAnswer> PutAppAsync(string app, string config) =>
        core.SendAsync("PUT", "/recipe/multitenancy/app/v2", $$"""{"appId":"{{app["/appid-".Length..]}}","coreConfig":{{config}}}""");
}
