using System.Collections.Frozen;

namespace Grid.Abstractions.Apps;

/// <summary>Every key that a shared SuperTokens configuration may contain. Source: <c>protocol/core-rules.md</c> §11.</summary>
public static class CoreConfigKeys
{
    public const string AccessTokenValidity = "access_token_validity";
    public const string RefreshTokenValidity = "refresh_token_validity";
    public const string DynamicKeyUpdateInterval = "access_token_dynamic_signing_key_update_interval";
    public const string OldDynamicKeyUpdateInterval = "access_token_signing_key_update_interval";
    public const string ValidityJitter = "access_token_validity_jitter";
    public const string RotationGrace = "refresh_token_rotation_grace_period";
    public const string RecentReuse = "recent_token_reuse_behaviour";
    public const string StaleBehaviour = "stale_session_behaviour";
    public const string ApiKeysKey = "api_keys";
    public const string IpAllow = "ip_allow_regex";
    public const string IpDeny = "ip_deny_regex";

    private static readonly CoreConfigKey[] Keys =
    [
        Session(AccessTokenValidity, CoreConfigType.Number, "3600", "Life of an access token in seconds, 1 to 86400000."),
        Session(RefreshTokenValidity, CoreConfigType.Number, "144000", "Life of a session without a refresh in minutes, fractions allowed; longer than an access token's."),
        Session("access_token_blacklisting", CoreConfigType.Flag, "false", "For clients up to CDI 2.18, which cannot ask for a database check themselves."),
        Session("access_token_signing_key_dynamic", CoreConfigType.Flag, "true", "For clients up to CDI 2.18: sign with the rotating key."),
        Session(DynamicKeyUpdateInterval, CoreConfigType.Number, "168", "Hours that a dynamic signing key signs, fractions allowed; at least 1."),
        Session(OldDynamicKeyUpdateInterval, CoreConfigType.Number, "168", "Former name of access_token_dynamic_signing_key_update_interval."),
        Session(ValidityJitter, CoreConfigType.Number, "0.05", "Largest fraction by which a fresh access token's life is shortened at random, 0 to 0.25."),
        Session(RotationGrace, CoreConfigType.Number, "30", "Seconds for which the previous refresh token still rotates, 0 to 300."),
        Session(RecentReuse, CoreConfigType.Text, "\"TOKEN_THEFT\"", "What newer clients are told when a recently replaced refresh token comes back.", ["TOKEN_THEFT", "UNAUTHORISED"]),
        Session(StaleBehaviour, CoreConfigType.Text, "\"STRICT\"", "What valid access tokens meet while the store is away for longer than a lease: 503, or acceptance until they expire.", ["STRICT", "BOUNDED"]),
        Session(ApiKeysKey, CoreConfigType.Text, "null", "Comma-separated keys, one of which each request must carry; null: the installation's."),
        Session(IpAllow, CoreConfigType.Text, "null", "Only requests from addresses that match this regular expression as a whole are served; empty: no rule."),
        Session(IpDeny, CoreConfigType.Text, "null", "Requests from addresses that match this regular expression as a whole are refused; empty: no rule."),

        Other("core_config_version", CoreConfigType.Number, "0"),
        Other("disable_telemetry", CoreConfigType.Flag, "false"),
        Other("password_reset_token_lifetime", CoreConfigType.Number, "3600000"),
        Other("email_verification_token_lifetime", CoreConfigType.Number, "86400000"),
        Other("passwordless_max_code_input_attempts", CoreConfigType.Number, "5"),
        Other("passwordless_code_lifetime", CoreConfigType.Number, "900000"),
        Other("totp_max_attempts", CoreConfigType.Number, "5"),
        Other("totp_rate_limit_cooldown_sec", CoreConfigType.Number, "900"),
        Other("firebase_password_hashing_signer_key", CoreConfigType.Text, "null"),
        Other("firebase_password_hashing_pool_size", CoreConfigType.Number, "1"),
        Other("password_hashing_alg", CoreConfigType.Text, "\"BCRYPT\""),
        Other("bcrypt_log_rounds", CoreConfigType.Number, "11"),
        Other("argon2_iterations", CoreConfigType.Number, "1"),
        Other("argon2_memory_kb", CoreConfigType.Number, "87795"),
        Other("argon2_parallelism", CoreConfigType.Number, "2"),
        Other("argon2_hashing_pool_size", CoreConfigType.Number, "1"),
        Other("supertokens_saas_secret", CoreConfigType.Text, "null"),
        Other("supertokens_max_cdi_version", CoreConfigType.Text, "null"),
        Other("supertokens_saas_load_only_cud", CoreConfigType.Text, "null"),
        Other("oauth_provider_public_service_url", CoreConfigType.Text, "null"),
        Other("oauth_provider_admin_service_url", CoreConfigType.Text, "null"),
        Other("oauth_provider_consent_login_base_url", CoreConfigType.Text, "null"),
        Other("oauth_provider_url_configured_in_oauth_provider", CoreConfigType.Text, "null"),
        Other("oauth_client_secret_encryption_key", CoreConfigType.Text, "null"),
        Other("saml_legacy_acs_url", CoreConfigType.Text, "null"),
        Other("saml_sp_entity_id", CoreConfigType.Text, "null"),
        Other("saml_claims_validity", CoreConfigType.Number, "300000"),
        Other("saml_relay_state_validity", CoreConfigType.Number, "300000"),
        Other("webauthn_recover_account_token_lifetime", CoreConfigType.Number, "3600000"),
        Other("bulk_migration_parallelism", CoreConfigType.Number, "1"),
        Other("bulk_migration_batch_size", CoreConfigType.Number, "8000"),
        Other("otel_collector_connection_uri", CoreConfigType.Text, "null"),
        Other("host", CoreConfigType.Text, "\"localhost\""),
        Other("port", CoreConfigType.Number, "3567"),
        Other("base_path", CoreConfigType.Text, "\"\""),
        Other("max_server_pool_size", CoreConfigType.Number, "10"),
        Other("log_level", CoreConfigType.Text, "\"INFO\""),
        Other("info_log_path", CoreConfigType.Text, "null"),
        Other("error_log_path", CoreConfigType.Text, "null"),
        Other("postgresql_config_version", CoreConfigType.Number, "0"),
        Other("postgresql_connection_uri", CoreConfigType.Text, "null"),
        Other("postgresql_connection_pool_size", CoreConfigType.Number, "10"),
        Other("postgresql_connection_attributes", CoreConfigType.Text, "\"allowPublicKeyRetrieval=true\""),
        Other("postgresql_connection_scheme", CoreConfigType.Text, "\"postgresql\""),
        Other("postgresql_host", CoreConfigType.Text, "\"localhost\""),
        Other("postgresql_port", CoreConfigType.Number, "5432"),
        Other("postgresql_user", CoreConfigType.Text, "null"),
        Other("postgresql_password", CoreConfigType.Text, "null"),
        Other("postgresql_database_name", CoreConfigType.Text, "\"supertokens\""),
        Other("postgresql_table_schema", CoreConfigType.Text, "\"public\""),
        Other("postgresql_table_names_prefix", CoreConfigType.Text, "\"\""),
        Other("postgresql_key_value_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_session_info_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_emailpassword_users_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_emailpassword_pswd_reset_tokens_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_emailverification_tokens_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_emailverification_verified_emails_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_thirdparty_users_table_name", CoreConfigType.Text, "null"),
        Other("postgresql_idle_connection_timeout", CoreConfigType.Number, "60000"),
        Other("postgresql_minimum_idle_connections", CoreConfigType.Number, "null"),
    ];

    /// <summary>By name.</summary>
    public static FrozenDictionary<string, CoreConfigKey> All { get; } = Keys.ToFrozenDictionary(k => k.Name, StringComparer.Ordinal);

    /// <summary>In the order in which people should see them.</summary>
    public static IReadOnlyList<CoreConfigKey> InOrder => Keys;

    private static CoreConfigKey Session(string name, CoreConfigType type, string @default, string description, string[]? values = null) =>
        new(name, type, @default, description, IsSessionSetting: true, values);

    private static CoreConfigKey Other(string name, CoreConfigType type, string @default) =>
        new(name, type, @default, "Kept for configurations shared with other recipes; without effect here.", IsSessionSetting: false);
}
