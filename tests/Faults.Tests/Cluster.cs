using System.Security.Cryptography;
using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>Three real silos over one real PostgreSQL, with a lease short enough to outlast.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-faults-").FullName;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly NetworkNamespace? _network;
    private string _database = "";

    private Cluster(PostgreSqlServer postgreSql, NetworkNamespace? network) => (PostgreSql, _network) = (postgreSql, network);

    /// <summary>L.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(3);

    /// <summary>W, and some for a busy machine.</summary>
    public static TimeSpan LongerThanWait { get; } = TimeSpan.FromSeconds(7);

    public PostgreSqlServer PostgreSql { get; }

    public GridProcess[] Silos { get; } = new GridProcess[3];

    /// <param name="network">The third silo runs in there; null: nobody does.</param>
    public static async Task<Cluster> StartAsync(NetworkNamespace? network = null)
    {
        var postgreSql = await PostgreSqlServer.TryStartOnAsync(network?.Outside ?? "127.0.0.1");
        Assert.SkipWhen(postgreSql is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var cluster = new Cluster(postgreSql!, network) { _database = await postgreSql!.CreateDatabaseAsync() };
        for (var i = 0; i < 3; i++)
        {
            await cluster.StartSiloAsync(i);
        }

        return cluster;
    }

    /// <summary>Starts a silo in the place of one that has ended, or of none.</summary>
    public async Task StartSiloAsync(int number)
    {
        var isInside = number == 2 && _network is not null;
        (string, string)[] environment =
        [
            ("Grid__Store__ConnectionString", _database),
            ("Grid__Keys__EncryptionKey", _key),
            ("Grid__Revocation__Lease", Lease.ToString()),
            ("Grid__Front__Enabled", "false"),
            ("Grid__Core__AllowInsecureAddress", "true"),
            ("Grid__Core__Address", isInside ? _network!.Door : "127.0.0.1"),
            ("Grid__Cluster__Address", isInside ? _network!.Inside : _network?.Outside ?? "127.0.0.1"),
        ];
        Silos[number]?.Dispose();
        Silos[number] = await GridProcess.ServeAsync(_folder, isInside ? _network!.Prefix : [], environment);

        // Whoever is asked and does not answer is as good as away.
        Silos[number].Http.Timeout = TimeSpan.FromSeconds(20);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos)
        {
            silo?.Dispose();
        }

        await PostgreSql.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
