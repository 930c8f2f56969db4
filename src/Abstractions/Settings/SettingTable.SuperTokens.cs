namespace Grid.Abstractions.Settings;

/// <content>Settings of a SuperTokens core that Grid does not use. Levels and types are the original's.</content>
public static partial class SettingTable
{
    private const string Kept = "Kept for configurations shared with other recipes; without effect here.";

    private static IEnumerable<Setting> OtherRecipeRows() =>
    [
        Recipe("access_token_blacklisting", SettingType.Flag, SettingLevel.App, "false") with { Description = "For clients up to CDI 2.18, which Grid does not serve: newer ones ask for a database check themselves." },
        Recipe("access_token_signing_key_dynamic", SettingType.Flag, SettingLevel.App, "true") with { Description = "For clients up to CDI 2.18, which Grid does not serve: newer ones say themselves which key they want." },
        Recipe("core_config_version", SettingType.Whole, SettingLevel.Tenant, "0"),
        Recipe("disable_telemetry", SettingType.Flag, SettingLevel.App, "false") with { Description = "Grid has no telemetry." },
        Recipe("password_reset_token_lifetime", SettingType.WideWhole, SettingLevel.Tenant, "3600000"),
        Recipe("email_verification_token_lifetime", SettingType.WideWhole, SettingLevel.Tenant, "86400000"),
        Recipe("passwordless_max_code_input_attempts", SettingType.Whole, SettingLevel.Tenant, "5"),
        Recipe("passwordless_code_lifetime", SettingType.WideWhole, SettingLevel.Tenant, "900000"),
        Recipe("totp_max_attempts", SettingType.Whole, SettingLevel.Tenant, "5"),
        Recipe("totp_rate_limit_cooldown_sec", SettingType.Whole, SettingLevel.Tenant, "900"),
        Recipe("firebase_password_hashing_signer_key", SettingType.Text, SettingLevel.App),
        Recipe("password_hashing_alg", SettingType.Choice, SettingLevel.App, "BCRYPT") with { Choices = [new("ARGON2", "ARGON2"), new("BCRYPT", "BCRYPT")] },
        Recipe("oauth_provider_public_service_url", SettingType.Text, SettingLevel.App),
        Recipe("oauth_provider_admin_service_url", SettingType.Text, SettingLevel.App),
        Recipe("oauth_provider_consent_login_base_url", SettingType.Text, SettingLevel.App),
        Recipe("oauth_provider_url_configured_in_oauth_provider", SettingType.Text, SettingLevel.App),
        Recipe("saml_legacy_acs_url", SettingType.Text, SettingLevel.App),
        Recipe("saml_sp_entity_id", SettingType.Text, SettingLevel.Tenant),
        Recipe("saml_claims_validity", SettingType.WideWhole, SettingLevel.Tenant, "300000"),
        Recipe("saml_relay_state_validity", SettingType.WideWhole, SettingLevel.Tenant, "300000"),
        Recipe("webauthn_recover_account_token_lifetime", SettingType.WideWhole, SettingLevel.App, "3600000"),
        Recipe("bulk_migration_parallelism", SettingType.Whole, SettingLevel.App, "1"),
        Recipe("bulk_migration_batch_size", SettingType.Whole, SettingLevel.App, "8000"),
        Recipe("bulk_migration_sleep_between_rounds_in_batch_ms", SettingType.Whole, SettingLevel.App),
        Recipe("argon2_iterations", SettingType.Whole, SettingLevel.Base, "1"),
        Recipe("argon2_memory_kb", SettingType.Whole, SettingLevel.Base, "87795"),
        Recipe("argon2_parallelism", SettingType.Whole, SettingLevel.Base, "2"),
        Recipe("argon2_hashing_pool_size", SettingType.Whole, SettingLevel.Base, "1"),
        Recipe("firebase_password_hashing_pool_size", SettingType.Whole, SettingLevel.Base, "1"),
        Recipe("bcrypt_log_rounds", SettingType.Whole, SettingLevel.Base, "11"),
        Recipe("oauth_client_secret_encryption_key", SettingType.Text, SettingLevel.Base),
    ];

    private static IEnumerable<Setting> OtherServerRows() =>
    [
        Server("max_server_pool_size", SettingType.Whole, "Grid has no pool of threads for requests; connections are limited by Grid:Core:MaxConnections."),
        Server("info_log_path", SettingType.Text, "Grid writes to standard output."),
        Server("error_log_path", SettingType.Text, "Grid writes to standard output."),
        Server("webserver_https_enabled", SettingType.Flag, "The core API speaks http: put a proxy with TLS before it."),
        Server("deadlock_logger_enable", SettingType.Flag, "Grid has no such logger."),
        Server("otel_collector_connection_uri", SettingType.Text, "Grid sends nothing to a collector."),
        Server("supertokens_saas_secret", SettingType.Text, "Grid knows API keys only."),
        Server("supertokens_saas_load_only_cud", SettingType.Text, "Every connection URI domain is served."),
    ];

    private static IEnumerable<Setting> OtherDatabaseRows() =>
    [
        // Parts of the connection string: SuperTokensEnvironment puts them together.
        Part("postgresql_host", SettingType.Text, "Host; `localhost` without a URI."),
        Part("postgresql_port", SettingType.Whole, "Port; `5432` without a URI."),
        Part("postgresql_user", SettingType.Text, "User."),
        Part("postgresql_password", SettingType.Text, "Password.") with { IsSecret = true },
        Part("postgresql_database_name", SettingType.Text, "Database; `supertokens` without a URI."),
        Part("postgresql_table_schema", SettingType.Text, "Schema of the tables (`Search Path`), made if it is missing. Default: the user's, which is `public`."),

        Database("postgresql_config_version", SettingType.Whole, "It has no meaning here."),
        Database("postgresql_connection_attributes", SettingType.Text, "Write parameters into POSTGRESQL_CONNECTION_URI or Grid:Store:ConnectionString."),
        Database("postgresql_connection_scheme", SettingType.Text, "The scheme is postgresql."),
        Database("postgresql_idle_connection_timeout", SettingType.WideWhole, "Write 'Connection Idle Lifetime=60' (seconds) into Grid:Store:ConnectionString."),
        Database("postgresql_minimum_idle_connections", SettingType.Whole, "Write 'Minimum Pool Size=…' into Grid:Store:ConnectionString."),
        Database("postgresql_table_names_prefix", SettingType.Text, "Grid's tables have names of their own (grid_…, orleans…). Keep installations apart by a database or POSTGRESQL_TABLE_SCHEMA each."),
        Database("postgresql_key_value_table_name", SettingType.Text, TableNames),
        Database("postgresql_session_info_table_name", SettingType.Text, TableNames),
        Database("postgresql_emailpassword_users_table_name", SettingType.Text, TableNames),
        Database("postgresql_emailpassword_pswd_reset_tokens_table_name", SettingType.Text, TableNames),
        Database("postgresql_emailverification_tokens_table_name", SettingType.Text, TableNames),
        Database("postgresql_emailverification_verified_emails_table_name", SettingType.Text, TableNames),
        Database("postgresql_thirdparty_users_table_name", SettingType.Text, TableNames),
    ];

    private const string TableNames = "Grid's tables have names of their own.";

    private static Setting Recipe(string name, SettingType type, SettingLevel level, string? @default = null) => new()
    {
        CoreConfigKey = name,
        Variable = name.ToUpperInvariant(),
        Type = type,
        Level = level,
        Default = @default,
        Use = SettingUse.OtherRecipe,
        Description = Kept,
    };

    private static Setting Server(string name, SettingType type, string instead) => new()
    {
        CoreConfigKey = name,
        Variable = name.ToUpperInvariant(),
        Type = type,
        Use = SettingUse.OtherServer,
        Description = instead,
        Instead = instead,
    };

    private static Setting Database(string name, SettingType type, string instead) => new()
    {
        CoreConfigKey = name,
        Variable = name.ToUpperInvariant(),
        Type = type,
        Use = SettingUse.OtherDatabase,
        Description = instead,
        Instead = instead,
    };

    private static Setting Part(string name, SettingType type, string description) => new()
    {
        CoreConfigKey = name,
        Variable = name.ToUpperInvariant(),
        Type = type,
        Use = SettingUse.OtherDatabase,
        Description = description,
        IsPart = true,
    };
}
