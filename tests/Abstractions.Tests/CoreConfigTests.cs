using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
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
    [InlineData("""{"access_token_validity":"7"}""", "access_token_validity")]
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

    [Fact]
    public void The_environment_is_read_by_the_names_in_capitals()
    {
        var (patch, error) = CoreConfig.FromEnvironment(new Dictionary<string, string?>
        {
            ["ACCESS_TOKEN_VALIDITY"] = "7",
            ["RECENT_TOKEN_REUSE_BEHAVIOUR"] = "UNAUTHORISED",
            ["ACCESS_TOKEN_BLACKLISTING"] = "true",
            ["PASSWORD_RESET_TOKEN_LIFETIME"] = "1",
            ["access_token_validity"] = "9",
            ["HOST"] = "x",
        });

        Assert.Null(error);
        Assert.Equal("""{"access_token_validity":7,"recent_token_reuse_behaviour":"UNAUTHORISED","access_token_blacklisting":true}""", patch);
        Assert.Contains("ACCESS_TOKEN_VALIDITY", CoreConfig.FromEnvironment([new("ACCESS_TOKEN_VALIDITY", "soon")]).Error, StringComparison.Ordinal);
    }

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
