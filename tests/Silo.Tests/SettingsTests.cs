using System.Net;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.AspNetCore;
using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Grid.Storage;
using Grid.WebFront.Front;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Grid.Silo.Tests;

public sealed class SettingsTests
{
    private const string Key = "0123456789abcdefghij";

    [Theory]
    [InlineData(null, "")]
    [InlineData("svc/", "/svc")]
    [InlineData("/shop/eu", "/shop/eu")]
    public void The_front_knows_what_a_proxy_takes_away_before_its_paths(string? set, string expected)
    {
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddGridFront(new FrontOptions { PublicBasePath = set }.ToSettings(IPAddress.Loopback, "Production")).BuildServiceProvider();

        Assert.Equal(expected, services.GetRequiredService<IOptions<GridOptions>>().Value.PublicBasePath);
        Assert.Contains("PublicBasePath", Assert.Throws<SettingsException>(() => new FrontOptions { PublicBasePath = "/a;b" }.Check()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("supertokens:3567", "must be an absolute address")]
    [InlineData("/core", "must be an absolute address")]
    [InlineData("ftp://core", "must be an absolute address")]
    [InlineData("http://user:secret@core:3567", "must not hold a user or password")]
    [InlineData("http://core:3567/?a=b", "must not have a query")]
    [InlineData("http://core:3567/#a", "must not have a query")]
    public void An_address_of_the_core_behind_that_cannot_be_used_is_refused_and_not_repeated(string uri, string why)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(("Grid:Upstream:Uri", uri))).Message;

        Assert.Contains("Grid:Upstream:Uri " + why, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_core_behind_may_have_a_path_and_TLS_and_its_key_needs_an_address()
    {
        Assert.Null(Read().Upstream);
        var upstream = Read(("Grid:Upstream:Uri", "https://core.internal/st/"), ("Grid:Upstream:ApiKey", Key), ("Grid:Upstream:Timeout", "5s")).Upstream!;
        Assert.Equal(("https://core.internal/st", "core.internal", Key), (upstream.Prefix, upstream.Name, upstream.ApiKey));
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5)), (upstream.ConnectTimeout, upstream.Timeout));

        Assert.Contains("Grid:Upstream:Uri is not", Assert.Throws<SettingsException>(() => Read(("Grid:Upstream:ApiKey", Key))).Message, StringComparison.Ordinal);
        Assert.Contains("Grid:Upstream:ApiKey must", Assert.Throws<SettingsException>(() => Read(("Grid:Upstream:Uri", "http://core"), ("Grid:Upstream:ApiKey", "a b"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_set_means_SQLite_on_loopback()
    {
        var settings = Read();

        Assert.Equal((StoreEngine.Sqlite, 3567, "127.0.0.1"), (settings.Store.Engine, settings.Core.Port, settings.Address.ToString()));
        Assert.EndsWith("data/grid.db", settings.Store.SqlitePath, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromHours(1), settings.Defaults.Settings.AccessTokenValidity);
    }

    [Fact]
    public void The_names_of_SuperTokens_are_understood_and_our_own_win()
    {
        var settings = Read(
            ("API_KEYS", Key), ("SUPERTOKENS_HOST", "0.0.0.0"), ("SUPERTOKENS_PORT", "4000"), ("ACCESS_TOKEN_VALIDITY", "60"), ("REFRESH_TOKEN_VALIDITY", "90"),
            ("Grid:Core:Port", "5000"), ("Grid:Session:RefreshTokenValidity", "02:00:00"));

        Assert.Equal((5000, "0.0.0.0"), (settings.Core.Port, settings.Address.ToString()));
        Assert.Single(settings.Defaults.ApiKeyHashes);
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromHours(2)), (settings.Defaults.Settings.AccessTokenValidity, settings.Defaults.Settings.RefreshTokenValidity));
    }

    [Fact]
    public void A_PostgreSql_uri_becomes_a_connection_string()
    {
        var settings = Read(("POSTGRESQL_CONNECTION_URI", "postgresql://us%40er:p%3Ass@db.example:5433/my%20db?sslmode=verify-full&connect_timeout=3"), ("Grid:Keys:EncryptionKey", "x"));
        var connection = new NpgsqlConnectionStringBuilder(settings.Store.ConnectionString);

        Assert.Equal(("db.example", 5433, "us@er", "p:ss", "my db", SslMode.VerifyFull), (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database, connection.SslMode));
    }

    [Fact]
    public void The_parts_of_a_PostgreSql_connection_and_secrets_in_files_are_understood()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "secret\n");
        var settings = Read(("POSTGRESQL_USER", "u"), ("POSTGRESQL_PASSWORD_FILE", file), ("POSTGRESQL_HOST", "h"), ("POSTGRESQL_DATABASE_NAME", "d"), ("Grid:Keys:EncryptionKey", "x"));
        var connection = new NpgsqlConnectionStringBuilder(settings.Store.ConnectionString);

        Assert.Equal(("h", "u", "secret", "d"), (connection.Host, connection.Username, connection.Password, connection.Database));
        File.Delete(file);
    }

    [Theory]
    [InlineData("Grid:Core:Address", "0.0.0.0", "Grid:Core:ApiKeys")]
    [InlineData("Grid:Core:Address", "nowhere", "Grid:Core:Address")]
    [InlineData("Grid:Core:Port", "70000", "Grid:Core:Port")]
    [InlineData("Grid:Core:Port", "many", "Grid:Core:Port")]
    [InlineData("Grid:Core:ApiKeys", "short", "Grid:Core:ApiKeys")]
    [InlineData("Grid:Core:ApiKeys", ",", "Grid:Core:ApiKeys")]
    [InlineData("Grid:Core:ApiKeys", " ", "Grid:Core:ApiKeys")]
    [InlineData("API_KEYS", " , ", "API_KEYS")]
    [InlineData("IP_ALLOW_REGEX", "(", "ip_allow_regex")]
    [InlineData("IP_DENY_REGEX", "((a{0,100}){0,100}){0,100}", "ip_deny_regex")]
    [InlineData("Grid:Store:ConnectionString", "Host=db", "Grid:Keys:EncryptionKeyFile")]
    [InlineData("Grid:Store:ConnectionString", "nonsense", "Grid:Store:ConnectionString")]
    [InlineData("Grid:Store:SqlitePath", ":memory:", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "~/grid.db", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "file:grid.db", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "FILE:grid.db?mode=memory", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "Data Source=grid.db", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "sqlite:///grid.db", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "data/", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:SqlitePath", "", "Grid:Store:SqlitePath")]
    [InlineData("Grid:Store:ConnectionString", "Host=a,b;Target Session Attributes=standby", "Target Session Attributes")]
    [InlineData("Grid:Store:MaxConnections", "7", "Grid:Store:MaxConnections")]
    [InlineData("Grid:Session:AccessTokenValidity", "101.00:00:00", "Grid:Session:RefreshTokenValidity")]
    [InlineData("Grid:Session:AccessTokenValidity", "soon", "Grid:Session:AccessTokenValidity")]
    [InlineData("Grid:Session:RefreshRotationGrace", "00:06:00", "Grid:Session:RefreshRotationGrace")]
    [InlineData("Grid:Purge:BatchSize", "0", "Grid:Purge:BatchSize")]
    [InlineData("ACCESS_TOKEN_VALIDITY", "soon", "ACCESS_TOKEN_VALIDITY")]
    [InlineData("REFRESH_TOKEN_VALIDITY", "1", "refresh_token_validity")]
    [InlineData("API_KEYS", "short", "API_KEYS")]
    public void A_bad_value_is_refused_with_the_key_to_change(string key, string value, string named)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read((key, value)));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_open_address_without_a_key_can_be_allowed_and_with_a_key_needs_no_leave()
    {
        Assert.Equal("0.0.0.0", Read(("Grid:Core:Address", "*"), ("Grid:Core:AllowInsecureAddress", "true")).Address.ToString());
        Assert.Equal("0.0.0.0", Read(("Grid:Core:Address", "*"), ("API_KEYS", Key)).Address.ToString());
    }

    [Fact]
    public void A_gateway_that_others_reach_needs_a_key_as_the_core_api_does()
    {
        GridSettings Open(string address, string port, params (string, string?)[] others) => Read(
        [
            ("Grid:Store:ConnectionString", "Host=db;Database=grid;Username=u;Password=p"), ("Grid:Keys:EncryptionKey", Convert.ToBase64String(new byte[32])),
            ("Grid:Cluster:Address", address), ("Grid:Cluster:GatewayPort", port), ("Grid:Cluster:AllowUnencrypted", "true"), .. others,
        ]);

        Assert.Contains("Grid:Cluster:GatewayPort", Assert.Throws<SettingsException>(() => Open("10.0.0.5", "30000")).Message, StringComparison.Ordinal);

        Assert.Equal(30000, Open("10.0.0.5", "30000", ("API_KEYS", Key)).Cluster.GatewayPort);
        Assert.Equal(30000, Open("10.0.0.5", "30000", ("Grid:Core:AllowInsecureAddress", "true")).Cluster.GatewayPort);
        Assert.Equal(30000, Open("127.0.0.1", "30000").Cluster.GatewayPort);
        Assert.Equal(0, Open("10.0.0.5", "0").Cluster.GatewayPort);
    }

    [Fact]
    public void Another_address_than_a_loopback_one_needs_certificates_or_leave_in_so_many_words()
    {
        GridSettings Open(string address, params (string, string?)[] others) => Read(
        [
            ("Grid:Store:ConnectionString", "Host=db;Database=grid;Username=u;Password=p"), ("Grid:Keys:EncryptionKey", Convert.ToBase64String(new byte[32])),
            ("Grid:Cluster:Address", address), .. others,
        ]);
        (string, string?)[] certificates = [("Grid:Cluster:CertificateFile", "a"), ("Grid:Cluster:CertificateKeyFile", "b"), ("Grid:Cluster:CertificateAuthorityFile", "c")];

        var refusal = Assert.Throws<SettingsException>(() => Open("10.0.0.5")).Message;
        Assert.Contains("The silo port would be open on 10.0.0.5 without TLS", refusal, StringComparison.Ordinal);
        Assert.Contains("Set Grid:Cluster:CertificateFile", refusal, StringComparison.Ordinal);
        Assert.Null(Open("10.0.0.5", ("Grid:Cluster:AllowUnencrypted", "true")).Certificates);
        Assert.NotNull(Open("10.0.0.5", certificates).Certificates);
        Assert.NotNull(Open("127.0.0.1").ClusterAddress);
        Assert.Null(Open("").ClusterAddress);

        // Part of a certificate is none.
        Assert.All(certificates, missing => Assert.Contains(
            $"{missing.Item1} is missing", Assert.Throws<SettingsException>(() => Open("127.0.0.1", [.. certificates.Except([missing])])).Message, StringComparison.Ordinal));

        // Alone over a file it would protect nothing.
        Assert.Contains("has no effect over SQLite", Assert.Throws<SettingsException>(() => Read([.. certificates])).Message, StringComparison.Ordinal);

        // Found rather than set: the same, and it says where the address comes from.
        var found = Assert.Throws<SettingsException>(() => Open("").CheckClusterAddress(System.Net.IPAddress.Parse("10.0.0.5"), isFound: true));
        Assert.Contains("10.0.0.5, by which the database is reached, without TLS", found.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Database=grid", "127.0.0.1")]
    [InlineData("Host=127.0.0.1:5433,localhost;Database=grid", "127.0.0.1")]
    [InlineData("Host=/run/postgresql;Database=grid", "127.0.0.1")]
    [InlineData("Host=no-such-host.invalid;Database=grid", null)]
    [InlineData("Host=::1;Database=grid", "127.0.0.1")]
    public void The_cluster_address_is_the_one_by_which_the_database_is_reached(string connection, string? address)
    {
        Assert.Equal(address, ClusterAddress.TryFind(new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = connection })?.ToString());

        // One of this machine's that others reach, where there is one.
        var own = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(one => one.Address)
            .FirstOrDefault(one => one.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && !System.Net.IPAddress.IsLoopback(one));
        if (own is not null)
        {
            Assert.Equal(own, ClusterAddress.TryFind(new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = $"Host={own};Database=grid" }));
        }
    }

    [Fact]
    public void A_cluster_address_that_could_not_be_found_at_first_is_refused_once_the_database_answers()
    {
        Assert.Contains(
            "it is 10.0.0.5. Start again", Assert.Throws<StoreStartException>(() => ClusterAddress.RefuseIfFoundLate(IPAddress.Parse("10.0.0.5"))).Message, StringComparison.Ordinal);
        ClusterAddress.RefuseIfFoundLate(IPAddress.IPv6Loopback);
        ClusterAddress.RefuseIfFoundLate(null);
    }

    [Theory]
    [InlineData(1024L, 229, 459)]
    [InlineData(4096L, 1253, 2507)]
    [InlineData(1_048_576L, 13_333, 20_000)]
    [InlineData(null, 13_333, 20_000)]
    public void Connections_follow_what_the_system_allows_and_leave_the_process_its_own(long? descriptors, int core, int front)
    {
        var budget = ConnectionBudget.Of(Read(), descriptors);

        Assert.Equal((core, front, front / 2), (budget.Core, budget.Front, budget.FrontPerAddress));
        Assert.True(descriptors is null || budget.Core + budget.Front + 336 <= descriptors);
        var onPostgreSql = ConnectionBudget.Of(Read(("Grid:Store:ConnectionString", "Host=db;Username=u;Database=d"), ("Grid:Keys:EncryptionKey", "x")), descriptors);
        Assert.True(descriptors is null || onPostgreSql.Core + onPostgreSql.Front + 336 + 16 + 64 <= descriptors);
    }

    [Fact]
    public void Connections_beyond_what_the_system_allows_are_refused_with_the_repair()
    {
        Assert.Contains("LimitNOFILE", Assert.Throws<SettingsException>(() => ConnectionBudget.Of(Read(), 256)).Message, StringComparison.Ordinal);
        var asked = Read(("Grid:Front:MaxConnections", "5000"), ("Grid:Front:MaxConnectionsPerAddress", "5000"));
        Assert.Contains("Grid:Front:MaxConnections", Assert.Throws<SettingsException>(() => ConnectionBudget.Of(asked, 4096)).Message, StringComparison.Ordinal);
        Assert.Equal((5000, 5000), (ConnectionBudget.Of(asked, 65_536).Front, ConnectionBudget.Of(asked, 65_536).FrontPerAddress));
        Assert.NotNull(ConnectionBudget.ReadLimit());
    }

    [Theory]
    [InlineData("Grid:Session:AccessTokenValidity", "60")]
    [InlineData("Grid:Session:RefreshTokenValidity", "100")]
    [InlineData("Grid:Session:AccessTokenValidity", "01:00")]
    [InlineData("Grid:Session:DynamicKeyUpdateInterval", "00:00:00.001")]
    [InlineData("Grid:Session:AccessTokenValidity", "1001d")]
    [InlineData("Grid:Session:AccessTokenValidityJitter", "0.3")]
    [InlineData("Grid:Session:StaleBehaviour", "Sometimes")]
    [InlineData("Grid:Revocation:Lease", "10")]
    [InlineData("Grid:Revocation:Lease", "1s")]
    [InlineData("Grid:Purge:Period", "5")]
    [InlineData("Grid:Purge:Pause", "11s")]
    [InlineData("Grid:Front:TokenTransfer", "carrier pigeon")]
    [InlineData("Grid:Front:CookieSameSite", "sometimes")]
    [InlineData("Grid:Front:AntiCsrf", "PERHAPS")]
    [InlineData("Grid:Front:SessionExpiredStatusCode", "200")]
    [InlineData("Grid:Logging:Level", "Loud")]
    [InlineData("Grid:Front:Enabled", "yes")]
    [InlineData("Grid:Core:MaxCdiVersion", "9.9")]
    [InlineData("Grid:Core:BasePath", "/a b")]
    [InlineData("Grid:Cluster:Id", "")]
    [InlineData("Grid:Front:App", "")]
    [InlineData("Grid:Store:ConnectionString", "Host=db;Username=u;Target Session Attributes=standby")]
    [InlineData("Grid:Store:ConnectionString", "Host=db;Usrname=u")]
    public void Every_value_is_checked_by_its_row(string key, string value) =>
        Assert.Contains(key, Assert.Throws<SettingsException>(() => Read((key, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Durations_choices_and_lists_are_read_as_people_write_them()
    {
        var settings = Read(
            ("Grid:Session:AccessTokenValidity", "15m"), ("Grid:Session:RefreshTokenValidity", "30.00:00:00"), ("Grid:Revocation:Lease", "2500ms"), ("Grid:Purge:Pause", "0s"),
            ("Grid:Front:AntiCsrf", "via_token"), ("Grid:Front:TokenTransfer", "cookie"), ("Grid:Front:CookieSameSite", "lax"), ("Grid:Session:StaleBehaviour", "BOUNDED"),
            ("Grid:Front:WebsiteDomains:0", "https://a.example"), ("Grid:Front:WebsiteDomains:1", "https://b.example"), ("Grid:Front:ApiDomain", "https://a.example"),
            ("Grid:Front:Port", ""));

        Assert.Equal((TimeSpan.FromMinutes(15), TimeSpan.FromDays(30)), (settings.Defaults.Settings.AccessTokenValidity, settings.Defaults.Settings.RefreshTokenValidity));
        Assert.Equal((TimeSpan.FromSeconds(2.5), TimeSpan.Zero), (settings.Revocation.Lease, settings.Purge.Pause));
        Assert.Equal((AntiCsrfMode.ViaToken, TokenTransfer.Cookie, SameSiteMode.Lax), (settings.Front.AntiCsrf, settings.Front.TokenTransfer, settings.Front.CookieSameSite));
        Assert.Equal((StaleBehaviour.Bounded, "https://a.example,https://b.example", 8080), (settings.Defaults.Settings.StaleBehaviour, settings.Front.WebsiteDomains, settings.Front.Port));
    }

    [Theory]
    [InlineData("ACCESS_TOKEN_VALIDITY", "60", "1m")]
    [InlineData("REFRESH_TOKEN_VALIDITY", "0.5", "30s")]
    [InlineData("ACCESS_TOKEN_SIGNING_KEY_UPDATE_INTERVAL", "24", "1d")]
    [InlineData("ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL", "1.5", "90m")]
    [InlineData("REFRESH_TOKEN_ROTATION_GRACE_PERIOD", "60", "1m")]
    [InlineData("RECENT_TOKEN_REUSE_BEHAVIOUR", "UNAUTHORISED", "Unauthorised")]
    [InlineData("LOG_LEVEL", "WARN", "Warning")]
    [InlineData("BASE_PATH", "/core", "/core")]
    [InlineData("IP_ALLOW_REGEX", "127.*", "127.*")]
    [InlineData("API_KEYS", "\"0123456789abcdefghij\"", "0123456789abcdefghij")]
    [InlineData("SUPERTOKENS_MAX_CDI_VERSION", "5.0", "5.0")]
    [InlineData("POSTGRESQL_CONNECTION_POOL_SIZE", "20", "20")]
    public void A_variable_of_SuperTokens_stands_for_the_setting_in_its_unit(string variable, string value, string expected)
    {
        var names = Environment((variable, value));
        var key = SettingTable.All.Single(row => row.Variable == variable || row.OlderCoreConfigKey?.ToUpperInvariant() == variable).Key!;

        Assert.True(names.TryGet(key, out var translated));
        Assert.Equal(expected, translated);
        Assert.Empty(names.Notes);
        Assert.Contains(variable, names.OriginOf(key), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ACCESS_TOKEN_VALIDITY", "1.5")]
    [InlineData("ACCESS_TOKEN_VALIDITY", "0")]
    [InlineData("REFRESH_TOKEN_ROTATION_GRACE_PERIOD", "301")]
    [InlineData("SUPERTOKENS_PORT", "3567x")]
    [InlineData("SUPERTOKENS_PORT", "70000")]
    [InlineData("POSTGRESQL_PORT", "5433x")]
    [InlineData("POSTGRESQL_PORT", "0")]
    [InlineData("POSTGRESQL_CONNECTION_POOL_SIZE", "many")]
    [InlineData("RECENT_TOKEN_REUSE_BEHAVIOUR", "SHRUG")]
    [InlineData("LOG_LEVEL", "LOUD")]
    [InlineData("SUPERTOKENS_MAX_CDI_VERSION", "9.9")]
    [InlineData("SUPERTOKENS_HOST", "nowhere.example")]
    public void A_variable_of_SuperTokens_with_a_wrong_value_is_refused_by_its_name(string variable, string value) =>
        Assert.Contains(variable, Assert.Throws<SettingsException>(() => Read((variable, value), ("POSTGRESQL_USER", "u"), ("Grid:Keys:EncryptionKey", "x"))).Message, StringComparison.Ordinal);

    public static TheoryData<string> Variables => [.. SettingTable.All.Select(row => row.Variable).OfType<string>().Where(name => name is not ("DISABLE_TELEMETRY" or "API_KEYS" or "POSTGRESQL_PORT"))];

    [Theory, MemberData(nameof(Variables))]
    public void Every_variable_of_SuperTokens_is_obeyed_refused_or_named(string variable)
    {
        const string Nonsense = "!(";
        try
        {
            var environment = new Dictionary<string, string?> { [variable] = Nonsense };
            var names = new SuperTokensEnvironment(environment);
            var configuration = new ConfigurationBuilder().Add(names).Build();
            var settings = GridSettings.Read(configuration);
            Assert.True(
                names.Notes.Any(note => note.Contains(variable, StringComparison.Ordinal) || note.StartsWith("POSTGRESQL_…", StringComparison.Ordinal)) || settings.Store.Engine == StoreEngine.PostgreSql,
                $"{variable} was passed over.");
        }
        catch (SettingsException refusal)
        {
            Assert.True(refusal.Message.Contains(variable, StringComparison.Ordinal) || refusal.Message.Contains("On PostgreSQL", StringComparison.Ordinal) || variable.StartsWith("POSTGRESQL_", StringComparison.Ordinal), refusal.Message);
        }
    }

    [Theory]
    [InlineData("SUPERTOKENS_PORT", "tcp://10.96.0.10:3567")]
    [InlineData("POSTGRESQL_PORT", "tcp://10.96.0.11:5432")]
    public void A_service_link_of_Kubernetes_is_ignored_with_a_line(string variable, string value)
    {
        var names = Environment((variable, value), ("POSTGRESQL_USER", "u"));

        Assert.Contains(names.Notes, note => note.Contains(variable, StringComparison.Ordinal) && note.Contains("Kubernetes", StringComparison.Ordinal));
        Assert.Equal(3567, Read((variable, value)).Core.Port);
        names.TryGet("Grid:Store:ConnectionString", out var connection);
        Assert.Equal(5432, new NpgsqlConnectionStringBuilder(connection).Port);
    }

    [Theory]
    [InlineData("Grid_Core_Port", "4000", "Grid__Core__Port")]
    [InlineData("GRID_CORE_APIKEYS", "0123456789abcdefghij", "Grid__Core__ApiKeys")]
    public void A_name_of_ours_with_single_underscores_is_told_with_the_right_one(string name, string value, string right)
    {
        Assert.Contains(Environment((name, value)).Notes, note => note.Contains(right, StringComparison.Ordinal) && !note.Contains(value, StringComparison.Ordinal));
        Assert.DoesNotContain(Environment(("GRID_CORE_PORT", "tcp://10.0.0.1:80"), ("GRID_STACK", "1")).Notes, note => note.Contains("GRID_", StringComparison.Ordinal));
    }

    [Fact]
    public void Parts_of_a_PostgreSql_connection_win_over_the_uri()
    {
        var settings = Read(
            ("POSTGRESQL_CONNECTION_URI", "postgresql://u@db:5433/d?sslmode=require"), ("POSTGRESQL_PASSWORD", "from-a-secret"), ("POSTGRESQL_TABLE_SCHEMA", "auth"), ("Grid:Keys:EncryptionKey", "x"));
        var connection = new NpgsqlConnectionStringBuilder(settings.Store.ConnectionString);

        Assert.Equal(("db", 5433, "u", "from-a-secret", "d", "auth", SslMode.Require), (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database, connection.SearchPath, connection.SslMode));
    }

    [Theory]
    [InlineData("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")]
    [InlineData("pa ss'wo\"rd;Host=evil;Maximum Pool Size=1")]
    [InlineData("pässwörd-密碼-🔑")]
    [InlineData(" leading, trailing ")]
    public void A_password_may_have_any_character(string password)
    {
        var uri = Read(("POSTGRESQL_CONNECTION_URI", $"postgresql://u:{Uri.EscapeDataString(password)}@db/d?sslmode=require"), ("Grid:Keys:EncryptionKey", "x"));
        var parts = Read(("POSTGRESQL_USER", "u"), ("POSTGRESQL_HOST", "db"), ("POSTGRESQL_PASSWORD", password), ("Grid:Keys:EncryptionKey", "x"));
        var own = Read(("Grid:Store:ConnectionString", new NpgsqlConnectionStringBuilder { Host = "db", Username = "u", Password = password }.ToString()), ("Grid:Keys:EncryptionKey", "x"));

        Assert.All([uri, parts, own], settings =>
        {
            var connection = new NpgsqlConnectionStringBuilder(settings.Store.ConnectionString);
            Assert.Equal(("db", "u", password), (connection.Host, connection.Username, connection.Password));
        });
    }

    [Fact]
    public void A_uri_with_several_hosts_becomes_a_connection_string_that_finds_the_one_that_takes_writes()
    {
        var settings = Read(("POSTGRESQL_CONNECTION_URI", "postgresql://u:a%2Cb@one:5433,two,[::1]:5434/d?sslmode=require"), ("Grid:Keys:EncryptionKey", "x"));
        var connection = new NpgsqlConnectionStringBuilder(settings.Store.ConnectionString);

        Assert.Equal(("one:5433,two,[::1]:5434", 5432, "u", "a,b", "d", SslMode.Require, "read-write"), (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database, connection.SslMode, connection.TargetSessionAttributes));
        Assert.Equal("p,w@rd", ConnectionUri.Parse("postgresql://u:p,w%40rd@one/d").Password);
        var refusal = Assert.Throws<SettingsException>(() => ConnectionUri.Parse("postgresql://u:pass,wo/rd@one,two/d"));
        Assert.Contains("'%40'", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pass,wo", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pooling=false", "Pooling")]
    [InlineData("Maximum Pool Size=5;", "Maximum Pool Size")]
    [InlineData("MinPoolSize=3", "Minimum Pool Size")]
    public void Sizes_of_pools_are_Grids_own(string keyword, string named)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(("Grid:Store:ConnectionString", $"Host=db;Username=u;Database=d;{keyword}"), ("Grid:Keys:EncryptionKey", "x")));

        Assert.Contains($"'{named}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Grid:Store:MaxConnections", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=db", null)]
    [InlineData("Host=a,b", "read-write")]
    public void A_target_is_chosen_only_among_several_servers(string hosts, string? target) => Assert.Equal(
        target,
        new NpgsqlConnectionStringBuilder(Read(("Grid:Store:ConnectionString", $"{hosts};Username=u;Target Session Attributes=read-write"), ("Grid:Keys:EncryptionKey", "x")).Store.ConnectionString).TargetSessionAttributes);

    [Theory]
    [InlineData("ssl=true", SslMode.Require)]
    [InlineData("ssl=false", SslMode.Disable)]
    [InlineData("requiressl=1", SslMode.Require)]
    [InlineData("sslmode=verify-ca&sslrootcert=/ca.pem", SslMode.VerifyCA)]
    [InlineData("SSLMODE=Require", SslMode.Require)]
    [InlineData("", SslMode.Prefer)]
    [InlineData("options=-csearch_path%3Dauth&application_name=a&connect_timeout=3&target_session_attrs=read-write&allowPublicKeyRetrieval=true&sslcert=/c&sslkey=/k&currentSchema=s&client_encoding=UTF8&keepalives=1&channel_binding=prefer&sslnegotiation=postgres", SslMode.Prefer)]
    public void Parameters_of_a_connection_uri_are_understood(string parameters, SslMode mode)
    {
        var connection = ConnectionUri.Parse($"postgresql://u:p@db/d?{parameters}");

        Assert.Equal(mode, connection.SslMode);
        if (parameters.Contains("options", StringComparison.Ordinal))
        {
            Assert.Equal(("-csearch_path=auth", "a", 3, "/c", "s"), (connection.Options, connection.ApplicationName, connection.Timeout, connection.SslCertificate, connection.SearchPath));
        }
    }

    [Theory]
    [InlineData("sslmode=no-verify", "sslmode=require")]
    [InlineData("sslmode=nonsense", "verify-full")]
    [InlineData("ssl=perhaps", "ssl")]
    [InlineData("sslmod=require", "sslmode")]
    [InlineData("pgbouncer=true", "pgbouncer")]
    [InlineData("sslfactory=org.postgresql.ssl.NonValidatingFactory", "sslfactory")]
    [InlineData("connection_limit=5", "connection_limit")]
    [InlineData("target_session_attrs=standby", "target_session_attrs")]
    [InlineData("connect_timeout=soon", "connect_timeout")]
    [InlineData("channel_binding=perhaps", "channel_binding")]
    [InlineData("hostaddr=10.0.0.1", "hostaddr")]
    public void A_parameter_of_a_connection_uri_that_is_not_understood_is_refused_by_name(string parameters, string named)
    {
        var refusal = Assert.Throws<SettingsException>(() => ConnectionUri.Parse($"postgresql://u:secret@db/d?{parameters}"));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_file_that_others_may_read_is_warned_about()
    {
        var folder = Directory.CreateTempSubdirectory("grid-key-").FullName;
        var file = Path.Combine(folder, "key");
        File.WriteAllText(file, Convert.ToBase64String(new byte[32]));
        var settings = Read(("Grid:Keys:EncryptionKeyFile", file), ("Grid:Keys:PreviousEncryptionKeyFile", file));
        foreach (var (mode, warnings) in new[] { ("600", 0), ("400", 0), ("644", 2), ("640", 2), ("660", 2), ("604", 2) })
        {
            File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32(mode, 8));
            Assert.Equal(warnings, EncryptionKeyFile.OpenToOthers(settings).Count());
        }

        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("644", 8));
        Assert.Contains($"chmod 600 {file}", EncryptionKeyFile.OpenToOthers(settings).First(), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void An_empty_value_leaves_what_a_weaker_source_sets(string? empty)
    {
        Assert.Single(Read(("API_KEYS", Key), ("Grid:Core:ApiKeys", empty)).Defaults.ApiKeyHashes);
        Assert.Single(Read(("API_KEYS", Key), ("Grid:Core:ApiKeys:0", empty)).Defaults.ApiKeyHashes);
        Assert.Equal("10.*", Read(("IP_ALLOW_REGEX", "10.*"), ("Grid:Core:IpAllowRegex", empty)).Defaults.IpAllowRegex);
        Assert.Equal("10.*", Read(("IP_DENY_REGEX", "10.*"), ("Grid:Core:IpDenyRegex", $"{empty} ")).Defaults.IpDenyRegex);
        Assert.Equal(TimeSpan.FromMinutes(1), Read(("ACCESS_TOKEN_VALIDITY", "60"), ("Grid:Session:AccessTokenValidity", empty)).Defaults.Settings.AccessTokenValidity);
        Assert.Equal(StoreEngine.PostgreSql, Read(("POSTGRESQL_USER", "u"), ("Grid:Store:ConnectionString", empty), ("Grid:Keys:EncryptionKey", "x")).Store.Engine);
        Assert.Equal("0.0.0.0", Read(("SUPERTOKENS_HOST", "0.0.0.0"), ("Grid:Core:Address", empty), ("API_KEYS", Key)).Address.ToString());
        Assert.Null(Read(("Grid:Core:IpAllowRegex", empty)).Defaults.IpAllowRegex);

        // Of the same strength, too, and in quotes.
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Key + "\n");
        Assert.Single(Read(("API_KEYS", empty), ("API_KEYS_FILE", file)).Defaults.ApiKeyHashes);
        Assert.Single(Read(("API_KEYS", "\"\""), ("API_KEYS_FILE", file)).Defaults.ApiKeyHashes);
        File.Delete(file);
    }

    [Fact]
    public void A_list_of_a_stronger_source_wins_over_a_text_of_a_weaker_one() => Assert.Equal(
        2, Read(("API_KEYS", Key), ("Grid:Core:ApiKeys:0", "second-key-0123456789"), ("Grid:Core:ApiKeys:1", "third-key-0123456789a")).Defaults.ApiKeyHashes.Length);

    [Fact]
    public void A_mounted_secret_is_as_strong_as_the_environment_and_may_be_an_item_of_a_list()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Key + "\n");
        foreach (var (name, other) in new[] { ("Grid__Core__ApiKeys_FILE", "Grid:Core:ApiKeys"), ("GRID__CORE__APIKEYS__0_FILE", "Grid:Core:ApiKeys:0") })
        {
            var environment = new Dictionary<string, string?> { [name] = file };
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new(other, "placeholder-0123456789")])
                .Add(new SecretFiles(environment))
                .AddInMemoryCollection([new(name.Replace("__", ":", StringComparison.Ordinal), file)])
                .Build();

            Assert.Equal(ApiKeys.TryParse(Key, out var hashes, out _) ? hashes : [], GridSettings.Read(configuration).Defaults.ApiKeyHashes);
            Assert.Empty(UnknownSettings.Find(configuration));
        }

        Assert.Contains("Grid__Core__ApiKeys_FILE", Assert.Throws<SettingsException>(() => Read(("Grid__Core__ApiKeys_FILE", file + "-none"))).Message, StringComparison.Ordinal);
        Assert.Equal("Host=db", new ConfigurationBuilder().Add(new SecretFiles(new Dictionary<string, string?> { ["ConnectionStrings__Grid_FILE"] = Written("Host=db") })).Build().GetConnectionString("Grid"));
        Assert.Contains(Environment(("Grid_Core_ApiKeys_FILE", file)).Notes, note => note.Contains("Grid__Core__ApiKeys_FILE", StringComparison.Ordinal));

        // Only the environment names files: elsewhere it would be passed over.
        Assert.Single(UnknownSettings.Find(new ConfigurationBuilder().AddInMemoryCollection([new("Grid:Core:ApiKeys_FILE", file)]).Build()));
        File.Delete(file);

        string Written(string text)
        {
            File.WriteAllText(file, text);
            return file;
        }
    }

    [Theory]
    [InlineData("postgresql://user:12?hunter2secret@host/db")]
    [InlineData("postgresql://user:12?hunter2=secret@host/db")]
    [InlineData("postgresql://user:12?sslmode=hunter2secret@host/db")]
    [InlineData("postgresql://user:12?hunter=secret&x=y@host/db")]
    [InlineData("postgresql://user:12/hunter2secret@host/db")]
    [InlineData("postgresql://user:12#hunter2secret@host/db")]
    [InlineData("postgresql://host/db?user=u&password=abc&hunter2secret")]
    [InlineData("postgresql://host/db?user=u&password=abc&hunter=secret")]
    [InlineData("postgresql://host/db?user=u&password=abc&port=hunter2secret")]
    [InlineData("postgresql://host/db?user=u&password=abc#hunter2secret")]
    [InlineData("postgresql://host/db?user=u&sslpassword=abc&hunter=secret")]
    [InlineData("postgresql://user:p@host/db?hunter2secret")]
    public void A_part_of_a_password_is_never_printed(string uri)
    {
        var refusal = Assert.Throws<SettingsException>(() => ConnectionUri.Parse(uri));

        Assert.DoesNotContain("hunter", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("'%26' for '&'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Grid:Store:ConnectionString", "Host=h;Username=u;Password=abc;hunter=secret;Database=d")]
    [InlineData("Grid:Store:ConnectionString", "Host=h;Pwd=abc;hunter=secret")]
    [InlineData("Grid:Store:ConnectionString", "jdbc:postgresql://u:huntersecret@h/db?sslmode=require")]
    [InlineData("POSTGRESQL_PORT", "hunter2secret")]
    [InlineData("POSTGRESQL_PORT", "hunter")]
    public void A_secret_in_the_wrong_place_is_not_printed(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read((key, value), ("POSTGRESQL_USER", "u"), ("Grid:Keys:EncryptionKey", "x")));

        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_misspelt_keyword_of_a_connection_string_is_named() => Assert.Contains(
        "sslmod", Assert.Throws<SettingsException>(() => Read(("Grid:Store:ConnectionString", "Host=h;sslmod=require;Password=p"), ("Grid:Keys:EncryptionKey", "x"))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_misspelt_key_is_told_with_the_nearest_one()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Grid:Core:Prot", "1"), new("Grid:Core:Port", "1")]).Build();

        Assert.Equal([("Grid:Core:Prot", "Grid:Core:Port")], UnknownSettings.Find(configuration));
    }

    [Fact]
    public void The_front_does_not_take_the_stores_connection_string_for_a_core_API()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Grid", "Host=db;Username=grid;Database=grid")]).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddGridFront(new FrontOptions().ToSettings(IPAddress.Loopback, "Production")).BuildServiceProvider();

        Assert.Equal("http://localhost:8080", services.GetRequiredService<IOptions<GridOptions>>().Value.ApiDomain);
    }

    [Fact]
    public void The_embedded_key_file_is_made_once_private_and_missed_when_it_is_gone()
    {
        var folder = Directory.CreateTempSubdirectory("grid-key-").FullName;
        var settings = Read(("Grid:Store:SqlitePath", Path.Combine(folder, "grid.db")));
        var (protector, path) = EncryptionKeyFile.Load(settings, isNew: true);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var box = protector.Seal("a", "k", 1, "s"u8);
        Assert.Equal("s"u8, EncryptionKeyFile.Load(settings, isNew: false).Protector.Open("a", "k", 1, box));

        File.Delete(path);
        var refusal = Assert.Throws<SettingsException>(() => EncryptionKeyFile.Load(settings, isNew: false));

        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    private static SuperTokensEnvironment Environment(params (string Key, string? Value)[] values)
    {
        var names = new SuperTokensEnvironment(values.ToDictionary(v => v.Key, v => v.Value));
        names.Load();
        return names;
    }

    [Theory]
    [InlineData("POSTGRESQL_CONNECTION_URI_FILE")]
    [InlineData("Grid__Store__ConnectionString_FILE")]
    [InlineData("ConnectionStrings__Grid_FILE")]
    [InlineData("Grid__Keys__EncryptionKey_FILE")]
    [InlineData("Grid__Keys__PreviousEncryptionKey_FILE")]
    [InlineData("Grid__Upstream__ApiKey_FILE")]
    [InlineData("Grid__Telemetry__MetricsKey_FILE")]
    public void A_mounted_secret_with_nothing_in_it_is_refused_instead_of_taken_as_unset(string variable)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, " \n");
        try
        {
            var refusal = Assert.Throws<SettingsException>(() => Read((variable, file)));

            Assert.Equal($"{variable} names a file with nothing in it, {file}: write the value into it, or remove the variable.", refusal.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static GridSettings Read(params (string Key, string? Value)[] values)
    {
        var environment = values.Where(v => !v.Key.Contains(':', StringComparison.Ordinal)).ToDictionary(v => v.Key, v => v.Value);
        var configuration = new ConfigurationBuilder()
            .Add(new SuperTokensEnvironment(environment))
            .Add(new SecretFiles(environment))
            .AddInMemoryCollection(values.Where(v => v.Key.Contains(':', StringComparison.Ordinal)).Select(v => KeyValuePair.Create(v.Key, v.Value)))
            .Build();
        return GridSettings.Read(configuration);
    }
}
