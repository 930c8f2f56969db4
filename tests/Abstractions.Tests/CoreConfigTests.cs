using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Settings;
using Grid.Tokens;

namespace Grid.Abstractions.Tests;

public sealed class CoreConfigTests
{
    private static readonly AppDefaults Defaults = new();

    [Fact]
    public void Values_are_read_in_their_units()
    {
        var settings = CoreConfig.Apply(null, """{"access_token_validity":7,"refresh_token_validity":0.5,"access_token_dynamic_signing_key_update_interval":1.5,"access_token_validity_jitter":0,"refresh_token_rotation_grace_period":300,"recent_token_reuse_behaviour":"UNAUTHORISED"}""", Defaults).Settings;

        Assert.Equal(
            new SessionSettings
            {
                AccessTokenValidity = TimeSpan.FromSeconds(7),
                RefreshTokenValidity = TimeSpan.FromSeconds(30),
                DynamicKeyUpdateInterval = TimeSpan.FromHours(1.5),
                AccessTokenValidityJitter = 0,
                RefreshRotationGrace = TimeSpan.FromMinutes(5),
                RecentReuseAnswer = RecentReuseAnswer.Unauthorised,
            },
            settings);
    }

    [Theory]
    [InlineData("""{"access_token_validity":0}""", "access_token_validity")]
    [InlineData("""{"access_token_validity":"soon"}""", "access_token_validity")]
    [InlineData("""{"access_token_validity":86400001}""", "access_token_validity")]
    [InlineData("""{"refresh_token_validity":0}""", "refresh_token_validity")]
    [InlineData("""{"refresh_token_validity":1}""", "refresh_token_validity")]
    [InlineData("""{"access_token_dynamic_signing_key_update_interval":0}""", "access_token_dynamic_signing_key_update_interval")]
    [InlineData("""{"access_token_dynamic_signing_key_update_interval":0.99}""", "access_token_dynamic_signing_key_update_interval")]
    [InlineData("""{"access_token_signing_key_update_interval":0.0001}""", "access_token_signing_key_update_interval")]
    [InlineData("""{"access_token_validity_jitter":0.26}""", "access_token_validity_jitter")]
    [InlineData("""{"refresh_token_rotation_grace_period":301}""", "refresh_token_rotation_grace_period")]
    [InlineData("""{"recent_token_reuse_behaviour":"SHRUG"}""", "recent_token_reuse_behaviour")]
    [InlineData("""{"ip_allow_regex":"("}""", "ip_allow_regex")]
    [InlineData("""{"ip_deny_regex":"(a)\\1"}""", "ip_deny_regex")]
    [InlineData("""{"no_such_key":1}""", "no_such_key")]
    [InlineData("""{"access_token_validity":1e999}""", "access_token_validity")]
    public void A_bad_value_is_refused_by_name(string patch, string name) =>
        Assert.Contains(name, CoreConfig.Apply(null, patch, Defaults).Error, StringComparison.Ordinal);

    [Fact]
    public void Changes_merge_and_null_takes_back()
    {
        var first = CoreConfig.Apply(null, """{"access_token_validity":7,"password_reset_token_lifetime":5}""", Defaults);
        var second = CoreConfig.Apply(first.StoredJson, """{"access_token_validity":null,"refresh_token_validity":90}""", Defaults);

        Assert.Equal("""{"password_reset_token_lifetime":5,"refresh_token_validity":90}""", second.StoredJson);
        Assert.Equal(TimeSpan.FromHours(1), second.Settings.AccessTokenValidity);
    }

    [Fact]
    public void Api_keys_are_hashed_and_appear_nowhere_else()
    {
        const string key = "abcdefghijklmnopqrst";
        var set = CoreConfig.Apply(null, $$"""{"api_keys":"{{key}}, second-key-=-0123456789"}""", Defaults);

        Assert.Equal([TokenHash.Of(key), TokenHash.Of("second-key-=-0123456789")], set.OwnApiKeyHashes!.Value);
        Assert.DoesNotContain(key, set.StoredJson, StringComparison.Ordinal);
        Assert.DoesNotContain("short-secret", CoreConfig.Apply(null, """{"api_keys":"short-secret"}""", Defaults).Error, StringComparison.Ordinal);
        Assert.NotNull(CoreConfig.Apply(null, """{"api_keys":"white space in the key 1234"}""", Defaults).Error);
        var taken = CoreConfig.Apply(null, """{"api_keys":null}""", Defaults);
        Assert.True(taken.ApiKeysChanged);
        Assert.Null(taken.OwnApiKeyHashes);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData(" ")]
    [InlineData(" , ,")]
    [InlineData("\t")]
    public void Api_keys_without_a_key_are_refused_and_open_nothing(string keys)
    {
        var refused = CoreConfig.Apply(null, $$"""{"api_keys":{{System.Text.Json.JsonSerializer.Serialize(keys)}}}""", Defaults);

        Assert.Contains("api_keys", refused.Error, StringComparison.Ordinal);
        Assert.False(refused.ApiKeysChanged);
    }

    [Theory]
    [InlineData("7\\.0\\.0\\.1", "127.0.0.1", false)]
    [InlineData("127\\.0\\.0", "127.0.0.1", false)]
    [InlineData("127\\.0\\.0\\.1|10\\..*", "127.0.0.1", true)]
    [InlineData("127\\.0\\.0\\.1|10\\..*", "110.0.0.1", false)]
    [InlineData("(?x) 10 # a net", "10", true)]
    [InlineData("2001:DB8::.*", "2001:db8::1", true)]
    [InlineData(".*", "", true)]
    public void An_address_rule_matches_the_whole_address(string pattern, string address, bool matches)
    {
        // An unfinished comment hides the end of what it is put into: such a rule is none.
        var rule = AddressRule.TryCreate(pattern);
        Assert.Equal(matches, pattern.Contains('#', StringComparison.Ordinal) ? rule is null : rule!.IsMatch(address));
    }

    [Theory]
    [InlineData("127.*)|(?:.*")]
    [InlineData("(")]
    [InlineData("((a{0,100}){0,100}){0,100}")]
    [InlineData("(a)\\1")]
    [InlineData("(?=a)")]
    public void An_address_rule_that_is_none_or_costs_too_much_is_refused(string pattern)
    {
        Assert.Null(AddressRule.TryCreate(pattern));
        Assert.Null(AddressRule.TryCreate(new string('a', 1001)));
        foreach (var key in new[] { "ip_allow_regex", "ip_deny_regex" })
        {
            Assert.Contains(key, CoreConfig.Apply(null, $$"""{"{{key}}":{{System.Text.Json.JsonSerializer.Serialize(pattern)}}}""", Defaults).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_new_address_rule_has_300_characters_at_most_and_a_stored_one_holds_as_it_is()
    {
        var longest = string.Join('|', Enumerable.Repeat("192\\.0\\.2\\.1", 30))[..AddressRule.MaxLength];
        foreach (var key in new[] { "ip_allow_regex", "ip_deny_regex" })
        {
            Assert.Null(CoreConfig.Apply(null, $$"""{"{{key}}":{{System.Text.Json.JsonSerializer.Serialize(longest[..^1] + "1")}}}""", Defaults).Error);
            Assert.Contains(
                "at most 300 characters",
                CoreConfig.Apply(null, $$"""{"{{key}}":{{System.Text.Json.JsonSerializer.Serialize(longest[..^1] + "11")}}}""", Defaults).Error,
                StringComparison.Ordinal);
        }

        var stored = new string('a', 301);
        Assert.Equal(stored, CoreConfig.Effective($$"""{"ip_deny_regex":"{{stored}}"}""", Defaults).IpDenyRegex);
        Assert.NotNull(AddressRule.TryCreate(stored));
    }

    [Fact]
    public void Patterns_that_ruin_other_engines_are_quick()
    {
        var rule = AddressRule.TryCreate("(((\\w|:)+)+)+!")!;
        Assert.DoesNotMatch(rule, new string('1', 100_000));
    }

    [Fact]
    public void An_empty_address_rule_is_none()
    {
        foreach (var empty in new[] { "", " " })
        {
            var config = CoreConfig.Apply(null, $$"""{"ip_allow_regex":"{{empty}}","ip_deny_regex":"{{empty}}"}""", Defaults);
            Assert.Equal((null, "{}", null, null), (config.Error, config.StoredJson, config.IpAllowRegex, config.IpDenyRegex));
            Assert.Equal("""{"ip_deny_regex":"x"}""", CoreConfig.Apply("""{"ip_deny_regex":"x"}""", "{}", Defaults).StoredJson);
            Assert.Equal("{}", CoreConfig.Apply("""{"ip_deny_regex":"x"}""", $$"""{"ip_deny_regex":"{{empty}}"}""", Defaults).StoredJson);

            // As older versions stored it.
            Assert.Null(CoreConfig.Apply($$"""{"ip_deny_regex":"{{empty}}"}""", "{}", Defaults).IpDenyRegex);
        }
    }

    [Theory]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:0DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("fe80::1%7", "fe80::1")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    public void An_address_has_one_spelling(string address, string spelt) => Assert.Equal(spelt, AddressRule.Spell(System.Net.IPAddress.Parse(address)));

    [Theory]
    [InlineData("access_token_validity", "\"60\"", "60")]
    [InlineData("access_token_validity", "60.0", "60")]
    [InlineData("refresh_token_validity", "\"90.5\"", "90.5")]
    [InlineData("access_token_validity_jitter", "\"0.001\"", "0.001")]
    [InlineData("access_token_blacklisting", "\"False\"", "false")]
    [InlineData("disable_telemetry", "\"true\"", "true")]
    [InlineData("passwordless_max_code_input_attempts", "\"7\"", "7")]
    [InlineData("recent_token_reuse_behaviour", "\"unauthorised\"", "\"UNAUTHORISED\"")]
    [InlineData("saml_sp_entity_id", "7", "\"7\"")]
    public void Strings_that_hold_the_right_thing_are_converted(string key, string sent, string stored)
    {
        var config = CoreConfig.Apply(null, $$"""{"{{key}}":{{sent}}}""", Defaults);

        Assert.Equal((null, $$"""{"{{key}}":{{stored}}}"""), (config.Error, config.StoredJson));
    }

    [Theory]
    [InlineData("access_token_validity", "7.5", "long")]
    [InlineData("access_token_validity", "\"7.0\"", "long")]
    [InlineData("access_token_validity", "true", "long")]
    [InlineData("refresh_token_validity", "\"long\"", "double")]
    [InlineData("totp_max_attempts", "2147483648", "int")]
    [InlineData("disable_telemetry", "\"yes\"", "boolean")]
    [InlineData("disable_telemetry", "1", "boolean")]
    [InlineData("saml_sp_entity_id", "[]", "String")]
    [InlineData("ip_allow_regex", "{}", "String")]
    public void A_value_of_the_wrong_type_is_refused_with_the_right_one(string key, string sent, string type) =>
        Assert.Equal($"'{key}' must be of type {type}", CoreConfig.Apply(null, $$"""{"{{key}}":{{sent}}}""", Defaults).Error);

    public static TheoryData<string> OfLevel(SettingLevel level, bool orBelow) =>
        [.. SettingTable.All.Where(row => row.CoreConfigKey is not null && (orBelow ? row.Level >= level : row.Level == level)).Select(row => row.CoreConfigKey!)];

    [Theory, MemberData(nameof(OfLevel), SettingLevel.Base, false)]
    public void A_setting_of_the_installation_is_refused_to_apps_and_tenants(string key)
    {
        var patch = $$"""{"{{key}}":"x"}""";
        var why = key.StartsWith("postgresql_", StringComparison.Ordinal) ? "Grid keeps an installation in one" : $"{key} can only be set via the core's base config setting";

        Assert.Contains(why, CoreConfig.Apply(null, patch, Defaults).Error, StringComparison.Ordinal);
        Assert.Contains(why, CoreConfig.Apply(null, patch, Defaults, SettingLevel.Tenant).Error, StringComparison.Ordinal);
        Assert.Null(CoreConfig.Apply(null, $$"""{"{{key}}":null}""", Defaults).Error);
    }

    [Theory, MemberData(nameof(OfLevel), SettingLevel.App, false)]
    public void A_setting_of_the_app_is_refused_to_a_tenant_that_wants_another_value(string key)
    {
        var setting = SettingTable.FindCoreConfig(key)!;
        var other = setting.Type switch
        {
            SettingType.Choice => $"\"{setting.Choices.First(choice => choice.Name != setting.Default).WireName}\"",
            SettingType.Flag => setting.Default == "true" ? "false" : "true",
            SettingType.Text when setting.CoreConfigKey == SettingTable.ApiKeys => "\"another-key-0123456789\"",
            SettingType.Text when setting.CoreConfigKey!.EndsWith("cdi_version", StringComparison.Ordinal) => "\"5.0\"",
            SettingType.Text => "\"x\"",
            SettingType.Number => "0.2",
            _ => setting.Unit == TimeSpan.FromHours(1) ? "24" : "77",
        };
        var patch = $$"""{"{{key}}":{{other}}}""";
        var app = CoreConfig.Apply(null, patch, Defaults);
        Assert.Null(app.Error);
        var effective = app.Effective with { ApiKeyHashes = app.OwnApiKeyHashes ?? [] };

        Assert.Equal($"You cannot set different values for {key} for the same appId", CoreConfig.ConflictWithApp(patch, null, Defaults));
        Assert.Null(CoreConfig.ConflictWithApp(patch, app.StoredJson, effective));
        Assert.Null(CoreConfig.ConflictWithApp($$"""{"{{key}}":null}""", app.StoredJson, effective));
    }

    [Fact]
    public void What_an_older_version_stored_is_obeyed_as_far_as_it_can_be()
    {
        const string Stored = """{"access_token_validity":7.5,"refresh_token_rotation_grace_period":900,"access_token_signing_key_update_interval":0.5,"ip_deny_regex":" ","port":1,"gone":2}""";

        var effective = CoreConfig.Effective(Stored, Defaults);
        Assert.Equal(
            (TimeSpan.FromSeconds(7.5), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), null),
            (effective.Settings.AccessTokenValidity, effective.Settings.RefreshRotationGrace, effective.Settings.DynamicKeyUpdateInterval, effective.IpDenyRegex));
    }

    [Theory]
    [InlineData("9.9")]
    [InlineData("2.18")]
    [InlineData("five")]
    [InlineData("")]
    public void A_stored_version_that_is_not_served_bounds_nothing(string version)
    {
        var stored = $$"""{"supertokens_max_cdi_version":"{{version}}","supertokens_min_cdi_version":"{{version}}"}""";

        Assert.Equal(Defaults, CoreConfig.Effective(stored, Defaults));
        Assert.Equal("5.0", CoreConfig.Effective(stored, Defaults with { MaxCdiVersion = "5.0" }).MaxCdiVersion);
    }

    [Theory]
    [InlineData("""{"supertokens_min_cdi_version":"5.4"}""", "5.0", null)]
    [InlineData("""{"supertokens_max_cdi_version":"5.0"}""", null, "5.4")]
    [InlineData("""{"supertokens_min_cdi_version":"5.4","supertokens_max_cdi_version":"5.0"}""", null, null)]
    public void A_minimal_version_that_would_leave_none_is_ignored_with_the_reason(string stored, string? inheritedMax, string? inheritedMin)
    {
        var effective = CoreConfig.Effective(stored, Defaults with { MaxCdiVersion = inheritedMax, MinCdiVersion = inheritedMin }, out var ignored);

        Assert.Equal((null, "5.0"), (effective.MinCdiVersion, effective.MaxCdiVersion));
        Assert.Equal("supertokens_min_cdi_version 5.4 is newer than supertokens_max_cdi_version 5.0, which would leave no version: the minimum is ignored", ignored);
    }

    [Fact]
    public void Versions_that_leave_one_are_obeyed_without_a_word()
    {
        var effective = CoreConfig.Effective("""{"supertokens_min_cdi_version":"5.0"}""", Defaults with { MaxCdiVersion = "5.0" }, out var ignored);

        Assert.Equal(("5.0", "5.0", null), (effective.MinCdiVersion, effective.MaxCdiVersion, ignored));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("true")]
    [InlineData("\"\"")]
    [InlineData("\"soon\"")]
    [InlineData("-1e300")]
    [InlineData("1e300")]
    [InlineData("1e999")]
    public void Whatever_is_stored_leaves_settings_that_can_be_shown(string value)
    {
        foreach (var setting in SettingTable.OfApps)
        {
            var stored = $$"""{"{{setting.CoreConfigKey}}":{{value}}}""";
            Assert.NotEmpty(CoreConfig.Describe(stored, CoreConfig.Effective(stored, Defaults)).ToList());
        }
    }

    [Fact]
    public void A_setting_with_a_former_name_has_one_value_under_the_present_one()
    {
        const string Older = "access_token_signing_key_update_interval";
        const string Newer = "access_token_dynamic_signing_key_update_interval";
        const string OfOlderBuild = $$"""{"{{Older}}":24}""";

        Assert.Equal($$"""{"{{Newer}}":24}""", CoreConfig.Apply(null, OfOlderBuild, Defaults).StoredJson);
        Assert.Equal($$"""{"{{Newer}}":48}""", CoreConfig.Apply(OfOlderBuild, $$"""{"{{Newer}}":48}""", Defaults).StoredJson);
        Assert.Equal($$"""{"{{Newer}}":48}""", CoreConfig.Apply(OfOlderBuild, $$"""{"{{Older}}":48}""", Defaults).StoredJson);
        foreach (var name in new[] { Older, Newer })
        {
            Assert.Equal("{}", CoreConfig.Apply(OfOlderBuild, $$"""{"{{name}}":null}""", Defaults).StoredJson);
            Assert.Equal("{}", CoreConfig.Apply($$"""{"{{Older}}":24,"{{Newer}}":48}""", $$"""{"{{name}}":null}""", Defaults).StoredJson);
            Assert.Equal(OfOlderBuild, CoreConfig.Touched($$"""{"{{Older}}":24,"access_token_validity":7}""", $$"""{"{{name}}":48}"""));
        }

        foreach (var both in new[] { $$"""{"{{Older}}":24,"{{Newer}}":48}""", $$"""{"{{Newer}}":48,"{{Older}}":24}""" })
        {
            Assert.Equal($$"""{"{{Newer}}":48}""", CoreConfig.Apply(null, both, Defaults).StoredJson);
        }
    }

    [Fact]
    public void A_tenants_page_shows_what_holds()
    {
        var app = CoreConfig.Effective("""{"access_token_validity":7,"ip_deny_regex":"10.*"}""", Defaults);
        var shown = CoreConfig.Describe("""{"access_token_validity":9,"stale_session_behaviour":"BOUNDED","ip_deny_regex":"11.*"}""", app)
            .ToDictionary(row => row.Setting.CoreConfigKey!, row => row.Value?.ToJsonString());

        Assert.Equal(("7", "\"STRICT\"", "\"11.*\""), (shown["access_token_validity"], shown["stale_session_behaviour"], shown["ip_deny_regex"]));
    }

    [Theory]
    [InlineData("""{"supertokens_max_cdi_version":"9.9"}""")]
    [InlineData("""{"supertokens_min_cdi_version":"2.18"}""")]
    [InlineData("""{"supertokens_max_cdi_version":"five"}""")]
    [InlineData("""{"supertokens_min_cdi_version":"5.4","supertokens_max_cdi_version":"5.0"}""")]
    public void Versions_that_are_not_served_are_refused_as_bounds(string patch) =>
        Assert.Contains("_cdi_version", CoreConfig.Apply(null, patch, Defaults).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("01a20de1-4e3a-7a03-b0ba-98a6280d90ef", "public")]
    [InlineData("01a20de1-4e3a-7a03-b0ba-98a6280d90ef_t1", "t1")]
    [InlineData("01a20de1-4e3a-7a03-b0ba-98a6280d90ef_a_b", "a_b")]
    public void Session_handles_round_trip(string text, string tenant)
    {
        Assert.True(SessionHandle.TryParse(text, out var handle));
        Assert.Equal((tenant, text), (handle.TenantId, handle.ToString()));
        var key = new SessionKey(new AppKey("core.example:3567", "a1"), handle);
        Assert.Equal(key, SessionKey.Parse(key.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("01A20DE1-4E3A-7A03-B0BA-98A6280D90EF")]
    [InlineData("01a20de1-4e3a-7a03-b0ba-98a6280d90ef_")]
    [InlineData("01a20de1-4e3a-7a03-b0ba-98a6280d90efx")]
    [InlineData("{01a20de1-4e3a-7a03-b0ba-98a6280d90ef}")]
    public void Other_texts_are_no_handles(string? text) => Assert.False(SessionHandle.TryParse(text, out _));

    [Fact]
    public void A_user_id_may_hold_any_character()
    {
        var user = new UserKey(new TenantKey(AppKey.Public, "public"), "a/b:c|d \u202e");

        Assert.Equal(user, UserKey.Parse(user.ToString()));
    }
}
