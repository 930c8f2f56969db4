using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Grid.TestKit;
using Npgsql;

namespace Grid.GrainClient.Tests;

/// <summary>Silos as processes of their own over one PostgreSQL, with their gateways open.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const string ApiKey = "a-key-of-the-installation-01";

    private readonly PostgreSqlServer _server;
    private readonly string _database;
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-gateway-").FullName;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly List<GridProcess> _silos = [];

    private Cluster(PostgreSqlServer server, string database) => (_server, _database) = (server, database);

    public IReadOnlyList<GridProcess> Silos => _silos;

    /// <summary>As a service has it: a role that can find the silos and nothing else.</summary>
    public string ReaderConnection => new NpgsqlConnectionStringBuilder(_database) { Username = "grid_gateways" }.ConnectionString;

    public static async Task<Cluster> NewAsync()
    {
        var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        return new Cluster(server!, await server!.CreateDatabaseAsync());
    }

    /// <summary>One more silo.</summary>
    /// <param name="gateway">Its port; 0: closed.</param>
    /// <param name="settings">Others.</param>
    public async Task<GridProcess> ServeAsync(int gateway, params (string Name, string Value)[] settings)
    {
        var silo = await GridProcess.ServeAsync(_folder,
        [
            ("Grid__Store__ConnectionString", _database), ("Grid__Keys__EncryptionKey", _key), ("Grid__Core__ApiKeys", ApiKey), ("Grid__Front__Enabled", "false"),
            ("Grid__Cluster__GatewayPort", gateway.ToString(CultureInfo.InvariantCulture)), .. settings,
        ]);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>One more silo, with its gateway open at a port that is free.</summary>
    /// <returns>The gateway's port.</returns>
    public async Task<int> ServeOpenAsync(params (string Name, string Value)[] settings)
    {
        for (var attempt = 1; ; attempt++)
        {
            var gateway = FreePort();
            try
            {
                await ServeAsync(gateway, settings);
                return gateway;
            }
            catch (InvalidOperationException taken) when (attempt < 5 && taken.Message.Contains("address already in use", StringComparison.OrdinalIgnoreCase))
            {
                // Somebody was quicker.
            }
        }
    }

    /// <summary>The role that <c>docs/grain-client.md</c> makes for services.</summary>
    public async Task MakeReaderAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        _silos.ForEach(silo => silo.Dispose());
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
