using System.Net;
using Grid.AspNetCore;
using Grid.Silo.Hosting;
using Grid.Silo.Settings;
using Grid.Storage;
using Grid.WebFront.Front;
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
            .AddGridFront(new FrontOptions { PublicBasePath = set }.ToDoor(IPAddress.Loopback, "Production")).BuildServiceProvider();

        Assert.Equal(expected, services.GetRequiredService<IOptions<GridOptions>>().Value.PublicBasePath);
        Assert.Contains("PublicBasePath", Assert.Throws<SettingsException>(() => FrontHosting.Check(new FrontOptions { PublicBasePath = "/a;b" })).Message, StringComparison.Ordinal);
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
    [InlineData("Grid:Store:MaxConnections", "1", "Grid:Store:MaxConnections")]
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

    [Fact]
    public void A_misspelt_key_is_told_with_the_nearest_one()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Grid:Core:Prot", "1"), new("Grid:Core:Port", "1")]).Build();

        Assert.Equal([("Grid:Core:Prot", "Grid:Core:Port")], GridSettings.UnknownKeys(configuration));
    }

    [Fact]
    public void The_front_does_not_take_the_stores_connection_string_for_a_core_API()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Grid", "Host=db;Username=grid;Database=grid")]).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddGridFront(new FrontOptions().ToDoor(IPAddress.Loopback, "Production")).BuildServiceProvider();

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

    private static GridSettings Read(params (string Key, string? Value)[] values)
    {
        var environment = values.Where(v => !v.Key.Contains(':', StringComparison.Ordinal)).ToDictionary(v => v.Key, v => v.Value);
        var configuration = new ConfigurationBuilder()
            .Add(new SuperTokensEnvironment(environment))
            .AddInMemoryCollection(values.Where(v => v.Key.Contains(':', StringComparison.Ordinal)).Select(v => KeyValuePair.Create(v.Key, v.Value)))
            .Build();
        return GridSettings.Read(configuration, environment);
    }
}
