using System.Collections.Immutable;
using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Settings;

/// <content>Grid's own settings. Longer than files are here, because it is a table and nothing else: one row per setting.</content>
public static partial class SettingTable
{
    /// <summary>The installation's or an app's API keys: kept as hashes, shown nowhere.</summary>
    public const string ApiKeys = "api_keys";

    // Made anew each time: fields of a class in several files have no order among themselves.
    private static ImmutableArray<SettingChoice> LogLevels =>
    [
        new("Trace", "TRACE"), new("Debug", "DEBUG"), new("Information", "INFO"), new("Warning", "WARN"), new("Error", "ERROR"), new("Critical", "CRITICAL"), new("None", "NONE"),
    ];

    private static IEnumerable<Setting> CoreRows() =>
    [
        new()
        {
            Key = "Grid:Core:Address", Variable = "SUPERTOKENS_HOST", CoreConfigKey = "host", Type = SettingType.Text, Default = "127.0.0.1",
            Description = "IP address of the core API, `localhost`, or `*` for all. Another than loopback needs an API key.",
        },
        new()
        {
            Key = "Grid:Core:Port", Variable = "SUPERTOKENS_PORT", CoreConfigKey = "port", Type = SettingType.Whole, Default = "3567", Min = "0", Max = "65535",
            Description = "Port of the core API; 0 takes a free one.",
        },
        new()
        {
            Key = "Grid:Core:BasePath", Variable = "BASE_PATH", CoreConfigKey = "base_path", Type = SettingType.Text, DefaultNote = "none", Max = "1000",
            Check = value => ((string)value).All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' or '/') ? null : "is a path such as /core, of letters, digits, '-', '.', '_', '~' and '/'",
            Description = "What stands before every path of the core API, such as `/core`. The probes under `/health` stay where they are.",
        },
        new()
        {
            Key = "Grid:Core:ApiKeys", Variable = "API_KEYS", CoreConfigKey = ApiKeys, Type = SettingType.Text, Level = SettingLevel.App, IsSecret = true, IsHidden = true, DefaultNote = "none",
            Check = value => Apps.ApiKeys.TryParse((string)value, out _, out var error) ? null : error,
            Read = app => app.ApiKeyHashes, Write = (app, value) => app with { ApiKeyHashes = Apps.ApiKeys.TryParse((string)value, out var keys, out _) ? keys : app.ApiKeyHashes },
            Description = "Comma-separated, each at least 20 characters of `A-Za-z0-9=-`; every request must carry one of them. Several may be valid, for rotation; from a file (`…_FILE`) they are read again when it changes ([rotation](operations.md#changing-api-keys)).",
        },
        new()
        {
            Key = "Grid:Core:IpAllowRegex", Variable = "IP_ALLOW_REGEX", CoreConfigKey = "ip_allow_regex", Type = SettingType.Text, Level = SettingLevel.Tenant, DefaultNote = "no rule",
            Check = RefuseRule, Read = app => app.IpAllowRegex, Write = (app, value) => app with { IpAllowRegex = (string)value },
            Description = "Only requests from addresses that match this regular expression as a whole are served; empty: no rule.",
        },
        new()
        {
            Key = "Grid:Core:IpDenyRegex", Variable = "IP_DENY_REGEX", CoreConfigKey = "ip_deny_regex", Type = SettingType.Text, Level = SettingLevel.Tenant, DefaultNote = "no rule",
            Check = RefuseRule, Read = app => app.IpDenyRegex, Write = (app, value) => app with { IpDenyRegex = (string)value },
            Description = "Requests from addresses that match this regular expression as a whole are refused; empty: no rule.",
        },
        new()
        {
            Key = "Grid:Core:MaxCdiVersion", Variable = "SUPERTOKENS_MAX_CDI_VERSION", CoreConfigKey = "supertokens_max_cdi_version", Type = SettingType.Text, Level = SettingLevel.App,
            IsHidden = true, DefaultNote = "the newest", Check = RefuseVersion, Read = app => app.MaxCdiVersion, Write = (app, value) => IsServed(value) ? app with { MaxCdiVersion = (string)value } : app,
            Description = "Newest version of the core API that is offered; also the one of requests that name none. Newer ones get 400.",
        },
        new()
        {
            Key = "Grid:Core:MinCdiVersion", Variable = "SUPERTOKENS_MIN_CDI_VERSION", CoreConfigKey = "supertokens_min_cdi_version", Type = SettingType.Text, Level = SettingLevel.App,
            IsHidden = true, DefaultNote = "the oldest", Check = RefuseVersion, Read = app => app.MinCdiVersion, Write = (app, value) => IsServed(value) ? app with { MinCdiVersion = (string)value } : app,
            Description = "Oldest version of the core API that is offered. Older ones get 400.",
        },
        new()
        {
            Key = "Grid:Core:MaxConnections", Type = SettingType.Whole, Min = "1", Max = "1000000", DefaultNote = "by the limit of open files",
            Description = "Connections of the core API at once ([connections](operations.md#connections)).",
        },
        new()
        {
            Key = "Grid:Core:AllowInsecureAddress", Type = SettingType.Flag, Default = "false",
            Description = "Serve an address other than loopback without an API key.",
        },
    ];

    private static IEnumerable<Setting> FrontRows() =>
    [
        new() { Key = "Grid:Front:Enabled", Type = SettingType.Flag, Default = "true", Description = "`false` opens no second port." },
        new()
        {
            Key = "Grid:Front:Address", Type = SettingType.Text, Default = "127.0.0.1",
            Description = "IP address of the front, `localhost`, or `*` for all. It is made for strangers, so another than loopback needs no key.",
        },
        new() { Key = "Grid:Front:Port", Type = SettingType.Whole, Default = "8080", Min = "0", Max = "65535", Description = "Port of the front; 0 takes a free one." },
        new()
        {
            Key = "Grid:Front:MaxConnections", Type = SettingType.Whole, Min = "1", Max = "1000000", DefaultNote = "by the limit of open files",
            Description = "Connections of the front at once ([connections](operations.md#connections)).",
        },
        new()
        {
            Key = "Grid:Front:MaxConnectionsPerAddress", Type = SettingType.Whole, Min = "1", Max = "1000000", DefaultNote = "half of them",
            Description = "Of those, from one address; loopback ones do not count. A proxy on another machine may need all.",
        },
        new() { Key = "Grid:Front:BasePath", Type = SettingType.Text, Default = "/auth", Description = "Path of the session endpoints; the SDKs call it `apiBasePath`." },
        new()
        {
            Key = "Grid:Front:PublicBasePath", Type = SettingType.Text, DefaultNote = "none",
            Description = "What a proxy takes away before it, such as `/svc`; the SDKs call it `apiGatewayPath`.",
        },
        new()
        {
            Key = "Grid:Front:ApiDomain", Type = SettingType.Text, DefaultNote = "`http://localhost:PORT`",
            Description = "Origin by which browsers reach the front, such as `https://api.example.com`; decides `Secure` and the tokens' `iss`.",
        },
        new()
        {
            Key = "Grid:Front:WebsiteDomains", Type = SettingType.Text, DefaultNote = "`ApiDomain`",
            Description = "Origins of the pages that use it, comma-separated: CORS, `SameSite`, anti-CSRF. Pages of others change nothing.",
        },
        new() { Key = "Grid:Front:App", Type = SettingType.Text, Default = "public", Description = "The app whose sessions it serves." },
        new()
        {
            Key = "Grid:Front:TokenTransfer", Type = SettingType.Choice, Default = "Any", Choices = [new("Any", "any"), new("Cookie", "cookie"), new("Header", "header")],
            Description = "`Any`: as the client asks.",
        },
        new() { Key = "Grid:Front:CookieDomain", Type = SettingType.Text, DefaultNote = "none", Description = "Domain of the cookies; none is this host only." },
        new()
        {
            Key = "Grid:Front:OlderCookieDomain", Type = SettingType.Text, MayBeEmpty = true, DefaultNote = "unset",
            Description = "The former `CookieDomain`, whose cookies are cleared; empty if there was none.",
        },
        new() { Key = "Grid:Front:CookieSecure", Type = SettingType.Flag, DefaultNote = "by `ApiDomain`", Description = "`true` where it is https." },
        new()
        {
            Key = "Grid:Front:CookieSameSite", Type = SettingType.Choice, DefaultNote = "by the domains", Choices = [new("Lax", "lax"), new("Strict", "strict"), new("None", "none")],
            Description = "`SameSite` of the cookies.",
        },
        new() { Key = "Grid:Front:HostCookies", Type = SettingType.Flag, Default = "false", Description = "Cookies named `__Host-…`." },
        new()
        {
            Key = "Grid:Front:AntiCsrf", Type = SettingType.Choice, DefaultNote = "by the domains",
            Choices = [new("None", "NONE"), new("ViaToken", "VIA_TOKEN"), new("ViaCustomHeader", "VIA_CUSTOM_HEADER")],
            Description = "How a request that changes something proves that it comes from our page.",
        },
        new()
        {
            Key = "Grid:Front:SessionExpiredStatusCode", Type = SettingType.Whole, Default = "401", Min = "400", Max = "499",
            Description = "Answer to a missing, expired or revoked session.",
        },
        new()
        {
            Key = "Grid:Front:InvalidClaimStatusCode", Type = SettingType.Whole, Default = "403", Min = "400", Max = "499",
            Description = "Answer to a claim that is not as required; another than the one above.",
        },
        new() { Key = "Grid:Front:UseDynamicSigningKey", Type = SettingType.Flag, Default = "true", Description = "Sign with the rotating key, or with the static one." },
        new()
        {
            Key = "Grid:Front:ForwardClaims", Type = SettingType.Text, DefaultNote = "none",
            Description = "Claims that forward-auth hands on as `X-Grid-Claim-…`, comma-separated.",
        },
        new()
        {
            Key = "Grid:Front:FirstPage", Type = SettingType.Flag, DefaultNote = "by the environment",
            Description = "`/` shows Grid at work and signs in whoever asks; `true` in `Development` on a loopback address.",
        },
    ];

    private static IEnumerable<Setting> StoreRows() =>
    [
        new()
        {
            Key = "Grid:Store:ConnectionString", Variable = "POSTGRESQL_CONNECTION_URI", CoreConfigKey = "postgresql_connection_uri", Type = SettingType.Text, IsSecret = true, DefaultNote = "none",
            Description = "PostgreSQL, as `postgresql://…` or in Npgsql's form; also `ConnectionStrings:Grid`, or in parts as `POSTGRESQL_HOST`, `_PORT`, `_USER`, `_PASSWORD`, `_DATABASE_NAME`, `_TABLE_SCHEMA`.",
        },
        new() { Key = "Grid:Store:SqlitePath", Type = SettingType.Text, Default = "data/grid.db", Description = "The embedded file, used without a connection string." },
        new() { Key = "Grid:Store:MigrateAtStart", Type = SettingType.Flag, Default = "true", Description = "Otherwise a start with pending migrations is refused." },
        new()
        {
            Key = "Grid:Store:AllowUnsafeDurability", Type = SettingType.Flag, Default = "false",
            Description = "Start over a PostgreSQL with `fsync`, `synchronous_commit` or `full_page_writes` off.",
        },
        new()
        {
            Key = "Grid:Store:MaxConnections", Variable = "POSTGRESQL_CONNECTION_POOL_SIZE", CoreConfigKey = "postgresql_connection_pool_size",
            Type = SettingType.Whole, Default = "30", Min = "8", Max = "1000",
            Description = "Connections of one silo to PostgreSQL at most, Orleans' own included ([how they are shared](operations.md#connections-to-postgresql)).",
        },
    ];

    private static IEnumerable<Setting> KeyRows() =>
    [
        new()
        {
            Key = "Grid:Keys:EncryptionKeyFile", Type = SettingType.Text, DefaultNote = "next to the SQLite file",
            Description = "File with 32 random bytes in base64, readable by the service's user only; required on PostgreSQL.",
        },
        new() { Key = "Grid:Keys:EncryptionKey", Type = SettingType.Text, IsSecret = true, DefaultNote = "none", Description = "The key itself, for secret stores that set variables." },
        new()
        {
            Key = "Grid:Keys:PreviousEncryptionKeyFile", Type = SettingType.Text, DefaultNote = "none",
            Description = "The former key while it is being [changed](operations.md#the-key-encryption-key).",
        },
        new() { Key = "Grid:Keys:PreviousEncryptionKey", Type = SettingType.Text, IsSecret = true, DefaultNote = "none", Description = "The former key itself." },
    ];

    private static IEnumerable<Setting> SessionRows() =>
    [
        new()
        {
            Key = "Grid:Session:AccessTokenValidity", Variable = "ACCESS_TOKEN_VALIDITY", CoreConfigKey = "access_token_validity", Level = SettingLevel.App,
            Type = SettingType.Duration, CoreConfigType = SettingType.WideWhole, Default = "1h", Min = "1s", Max = "1000d",
            Read = app => app.Settings.AccessTokenValidity, Write = (app, value) => app with { Settings = app.Settings with { AccessTokenValidity = (TimeSpan)value } },
            Description = "Life of an access token. In core config in seconds.",
        },
        new()
        {
            Key = "Grid:Session:RefreshTokenValidity", Variable = "REFRESH_TOKEN_VALIDITY", CoreConfigKey = "refresh_token_validity", Level = SettingLevel.App,
            Type = SettingType.Duration, CoreConfigType = SettingType.Number, Unit = TimeSpan.FromMinutes(1), Default = "100d", Min = "1s", Max = "36600d",
            Read = app => app.Settings.RefreshTokenValidity, Write = (app, value) => app with { Settings = app.Settings with { RefreshTokenValidity = (TimeSpan)value } },
            Description = "Life of a session since its last refresh; longer than an access token's. In core config in minutes.",
        },
        new()
        {
            Key = "Grid:Session:MaxLifetime", CoreConfigKey = "session_max_lifetime", Level = SettingLevel.App,
            Type = SettingType.Duration, CoreConfigType = SettingType.Number, Unit = TimeSpan.FromMinutes(1), Default = "36600d", Min = "1m", Max = "36600d",
            Read = app => app.Settings.MaxLifetime, Write = (app, value) => app with { Settings = app.Settings with { MaxLifetime = (TimeSpan)value } },
            Description = "Longest life of a session since its creation, however often it is refreshed; a session that is found to be older at its next refresh is revoked. In core config in minutes.",
        },
        new()
        {
            Key = "Grid:Session:DynamicKeyUpdateInterval", Variable = "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL",
            CoreConfigKey = "access_token_dynamic_signing_key_update_interval", OlderCoreConfigKey = "access_token_signing_key_update_interval", Level = SettingLevel.App,

            // As in the original. Without a floor each request would make, and keep, another RSA key that every client has to fetch.
            Type = SettingType.Duration, CoreConfigType = SettingType.Number, Unit = TimeSpan.FromHours(1), Default = "7d", Min = "1h", Max = "36600d",
            Read = app => app.Settings.DynamicKeyUpdateInterval, Write = (app, value) => app with { Settings = app.Settings with { DynamicKeyUpdateInterval = (TimeSpan)value } },
            Description = "How long a dynamic signing key signs. An app has at most 64 of them that verify, the next one waits for room. In core config in hours.",
        },
        new()
        {
            Key = "Grid:Session:AccessTokenValidityJitter", Variable = "ACCESS_TOKEN_VALIDITY_JITTER", CoreConfigKey = "access_token_validity_jitter", Level = SettingLevel.App,
            Type = SettingType.Number, Default = "0.05", Min = "0", Max = "0.25",
            Read = app => app.Settings.AccessTokenValidityJitter, Write = (app, value) => app with { Settings = app.Settings with { AccessTokenValidityJitter = (double)value } },
            Description = "Largest fraction by which a fresh access token's life is shortened at random.",
        },
        new()
        {
            Key = "Grid:Session:RefreshRotationGrace", Variable = "REFRESH_TOKEN_ROTATION_GRACE_PERIOD", CoreConfigKey = "refresh_token_rotation_grace_period", Level = SettingLevel.App,
            Type = SettingType.Duration, CoreConfigType = SettingType.WideWhole, Default = "30s", Min = "0s", Max = "5m",
            Read = app => app.Settings.RefreshRotationGrace, Write = (app, value) => app with { Settings = app.Settings with { RefreshRotationGrace = (TimeSpan)value } },
            Description = "How long the previous refresh token still rotates. In core config in seconds.",
        },
        new()
        {
            Key = "Grid:Session:RecentReuseAnswer", Variable = "RECENT_TOKEN_REUSE_BEHAVIOUR", CoreConfigKey = "recent_token_reuse_behaviour", Level = SettingLevel.App,
            Type = SettingType.Choice, Default = "TokenTheft", Choices = [new("TokenTheft", "TOKEN_THEFT"), new("Unauthorised", "UNAUTHORISED")],
            Read = app => app.Settings.RecentReuseAnswer.ToString(),
            Write = (app, value) => app with { Settings = app.Settings with { RecentReuseAnswer = Enum.Parse<RecentReuseAnswer>((string)value) } },
            Description = "What newer clients are told when a recently replaced refresh token comes back. The session is revoked either way.",
        },
        new()
        {
            Key = "Grid:Session:StaleBehaviour", Variable = "STALE_SESSION_BEHAVIOUR", CoreConfigKey = "stale_session_behaviour", Level = SettingLevel.App,
            Type = SettingType.Choice, Default = "Strict", Choices = [new("Strict", "STRICT"), new("Bounded", "BOUNDED")],
            Read = app => app.Settings.StaleBehaviour.ToString(),
            Write = (app, value) => app with { Settings = app.Settings with { StaleBehaviour = Enum.Parse<StaleBehaviour>((string)value) } },
            Description = "What valid access tokens meet while the store is unavailable for longer than a lease: 503, or (`Bounded`) acceptance until they expire, counted as `grid.sessions.accepted_unchecked` of the meter `Grid`.",
        },
    ];

    private static IEnumerable<Setting> RevocationRows() =>
    [
        new()
        {
            Key = "Grid:Revocation:Lease", Type = SettingType.Duration, Default = "10s", Min = "2s", Max = "1m",
            Description = "How long a process vouches for known sessions without the store; a revocation waits 1.25 of it + 250 ms for one that vanished ([revocation.md](revocation.md)).",
        },
        new()
        {
            Key = "Grid:Revocation:WaitForServices", Type = SettingType.Flag, Default = "true",
            Description = "`false`: revocations wait for silos only, and a service refuses when it has renewed.",
        },
        new()
        {
            Key = "Grid:Revocation:MaxServices", Type = SettingType.Whole, Default = "1000", Min = "0", Max = "100000",
            Description = "Services that check tokens themselves, connected to one silo; as many more may be about to register.",
        },
        new()
        {
            Key = "Grid:Revocation:MaxServicesPerApp", Type = SettingType.Whole, Default = "200", Min = "0", Max = "100000",
            Description = "Services of one app registered in the cluster, those included that vanished within the last lease. More than that are refused and told so; an app's services hold up revocations of that app only.",
        },
        new()
        {
            Key = "Grid:Revocation:RememberedSessions", Type = SettingType.Whole, Default = "200000", Min = "1000", Max = "10000000",
            Description = "Per process, about 300 bytes each; what nobody asks for goes first.",
        },
    ];

    private static IEnumerable<Setting> ClusterRows() =>
    [
        new()
        {
            Key = "Grid:Cluster:Id", Type = SettingType.Text, Default = "grid", Max = "100",
            Description = "Silos with one id over one database form a cluster; the database remembers it and refuses another (`grid cluster rename`).",
        },
        new()
        {
            Key = "Grid:Cluster:Address", Type = SettingType.Text, DefaultNote = "the local address by which the database is reached",
            Description = "IP address at which the other silos reach this one. Any but a loopback one needs certificates. Never a public one.",
        },
        new()
        {
            Key = "Grid:Cluster:SiloPort", Type = SettingType.Whole, Default = "0", Min = "0", Max = "65535",
            Description = "Port between silos, over PostgreSQL only; 0 takes a free one. Fix it for firewalls, and never open it to others.",
        },
        new()
        {
            Key = "Grid:Cluster:GatewayPort", Type = SettingType.Whole, Default = "0", Min = "0", Max = "65535",
            Description = "Port for services that are Orleans clients, over PostgreSQL only; 0: closed. They reach doors with an API key and no other grain (docs/grain-client.md). Never a public one.",
        },
        new()
        {
            Key = "Grid:Cluster:CertificateFile", Type = SettingType.Text, DefaultNote = "no TLS",
            Description = "PEM file of this silo's certificate, with what stands between it and the root: mutual TLS between silos and for services that are Orleans clients (docs/operations.md, \"Certificates\"). Read again when it changes.",
        },
        new()
        {
            Key = "Grid:Cluster:CertificateKeyFile", Type = SettingType.Text, DefaultNote = "none",
            Description = "PEM file of the certificate's private key, not encrypted.",
        },
        new()
        {
            Key = "Grid:Cluster:CertificateAuthorityFile", Type = SettingType.Text, DefaultNote = "none",
            Description = "PEM file of the roots that are trusted, and no others: peers without a certificate of theirs are refused.",
        },
        new()
        {
            Key = "Grid:Cluster:CertificateName", Type = SettingType.Text, DefaultNote = "none",
            Description = "DNS name that every silo's certificate has; needed if the authority certifies others than this cluster and its services.",
        },
        new()
        {
            Key = "Grid:Cluster:AllowUnencrypted", Type = SettingType.Flag, Default = "false",
            Description = "Open silo port and gateway on another address than a loopback one without TLS. Whoever reaches them then is believed to be a silo.",
        },
    ];

    private static IEnumerable<Setting> PurgeRows() =>
    [
        new()
        {
            Key = "Grid:Purge:Period", Type = SettingType.Duration, Default = "5m", Min = "1m", Max = "1d",
            Description = "Time between two rounds that remove expired rows: sessions ten minutes after they expired.",
        },
        new() { Key = "Grid:Purge:BatchSize", Type = SettingType.Whole, Default = "500", Min = "1", Max = "10000", Description = "Rows per transaction." },
        new() { Key = "Grid:Purge:Pause", Type = SettingType.Duration, Default = "20ms", Min = "0s", Max = "10s", Description = "Rest between two transactions." },
        new()
        {
            Key = "Grid:Purge:KeepRevocations", Type = SettingType.Duration, Default = "1h", Min = "15m", Max = "30d",
            Description = "How long entries of the revocation log are kept.",
        },
    ];

    private static IEnumerable<Setting> OverloadRows() =>
    [
        new()
        {
            Key = "Grid:Overload:MaxRequests", Type = SettingType.Whole, DefaultNote = "256 for each core, 1,024 at least", Min = "16", Max = "100000",
            Description = "Requests that this silo works on at once; further ones get 503. Each class has places of its own, and the lower ones stop before it is reached (operations.md).",
        },
    ];

    private static IEnumerable<Setting> UpstreamRows() =>
    [
        new()
        {
            Key = "Grid:Upstream:Uri", Type = SettingType.Text, DefaultNote = "none", Max = "2000",
            Description = "Address of a SuperTokens core that serves every route that is not Grid's, such as `http://supertokens:3567`; may have a path ([in front of SuperTokens](supertokens.md)).",
        },
        new()
        {
            Key = "Grid:Upstream:ApiKey", Type = SettingType.Text, DefaultNote = "none", IsSecret = true, Max = "4096",
            Description = "The API key that this core asks for. It is Grid's alone: clients show one of `Grid:Core:ApiKeys`, which is not handed on.",
        },
        new()
        {
            Key = "Grid:Upstream:ConnectTimeout", Type = SettingType.Duration, Default = "3s", Min = "100ms", Max = "1m",
            Description = "How long a connection to it may take; after that its routes are answered 503.",
        },
        new()
        {
            Key = "Grid:Upstream:Timeout", Type = SettingType.Duration, Default = "30s", Min = "1s", Max = "10m",
            Description = "How long it may be silent within a request; after that the answer is 504, or the connection is cut if it has begun.",
        },
    ];

    private static IEnumerable<Setting> ImportRows() =>
    [
        new()
        {
            Key = "Grid:Import:ReadThrough", Type = SettingType.Text, DefaultNote = "none", IsSecret = true, Max = "2000",
            Description = "PostgreSQL database of a SuperTokens core, `postgresql://…`: sessions that Grid does not know are looked up there once ([live sessions](supertokens.md#live-sessions)).",
        },
        new()
        {
            Key = "Grid:Import:Schema", Type = SettingType.Text, Default = "public", Max = "63",
            Description = "The core's `postgresql_table_schema`.",
        },
        new()
        {
            Key = "Grid:Import:Prefix", Type = SettingType.Text, DefaultNote = "none", Max = "63",
            Description = "The core's `postgresql_table_names_prefix`.",
        },
    ];

    private static IEnumerable<Setting> ShutdownRows() =>
    [
        new()
        {
            Key = "Grid:Shutdown:Drain", Type = SettingType.Duration, DefaultNote = "`5s`; none in `Development`", Min = "0s", Max = "5m",
            Description = "How long requests are still answered after SIGTERM, while readiness is red. Longer than a balancer needs to notice.",
        },
    ];

    private static IEnumerable<Setting> LoggingRows() =>
    [
        new() { Key = "Grid:Logging:Json", Type = SettingType.Flag, Default = "false", Description = "One JSON object a line instead of text." },
        new()
        {
            Key = "Grid:Logging:Level", Variable = "LOG_LEVEL", CoreConfigKey = "log_level", Type = SettingType.Choice, Default = "Information", Choices = LogLevels,
            Description = "Of Grid's own lines.",
        },
    ];

    private static IEnumerable<Setting> TelemetryRows() =>
    [
        new() { Key = "Grid:Telemetry:Metrics", Type = SettingType.Flag, Default = "true", Description = "Serves `/metrics` for Prometheus on the core API's port ([telemetry](telemetry.md))." },
        new()
        {
            Key = "Grid:Telemetry:MetricsKey", Type = SettingType.Text, IsSecret = true, IsHidden = true, DefaultNote = "none",
            Check = value => Apps.ApiKeys.TryParse((string)value, out var keys, out var error) ? (keys.Length == 1 ? null : "is one key") : error,
            Description = "A key that opens `/metrics` and nothing else, so that a scraper needs no API key: at least 20 characters of `A-Za-z0-9=-`.",
        },
        new()
        {
            Key = "Grid:Telemetry:Dashboard", Type = SettingType.Flag, Default = "false",
            Description = "Serves Orleans' dashboard at `/dashboard` on the core API's port. Needs `Grid:Core:ApiKeys`: browsers ask for one as password ([telemetry](telemetry.md#orleans-dashboard)).",
        },
    ];

    private static string? RefuseRule(object value) => ((string)value).Length > AddressRule.MaxLength || AddressRule.TryCreate((string)value) is null
        ? $"is not a valid regular expression, or one without bounds: write at most {AddressRule.MaxLength} characters, without look-around and back-references"
        : null;

    // What an older version stored without a check, or a version that is served no more, bounds nothing.
    private static bool IsServed(object version) => CdiVersions.Supported.Contains((string)version);

    private static string? RefuseVersion(object value) => IsServed(value)
        ? null
        : $"is not a supported version: {string.Join(", ", CdiVersions.Supported)} are";
}
