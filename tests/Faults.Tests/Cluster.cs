using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>Three real silos over one real PostgreSQL, or one over SQLite, and services that check tokens themselves: two over HTTP and, in a cluster, one over Orleans; with a lease short enough to outlast.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>Of the service that is an Orleans client, where there is a gateway.</summary>
    public const int GrainService = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-faults-").FullName;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly NetworkNamespace? _network;
    private readonly PostgreSqlServer? _postgreSql;
    private readonly TcpRelay?[] _cables = new TcpRelay?[2];
    private string _database = "";

    private Cluster(int silos, PostgreSqlServer? postgreSql, NetworkNamespace? network) =>
        (Silos, _postgreSql, _network, Services) = (new GridProcess[silos], postgreSql, network, new ServiceProcess[postgreSql is null ? 2 : 3]);

    /// <summary>L.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(3);

    /// <summary>W, and some for a busy machine.</summary>
    public static TimeSpan LongerThanWait { get; } = TimeSpan.FromSeconds(7);

    public PostgreSqlServer PostgreSql => _postgreSql!;

    public GridProcess[] Silos { get; }

    /// <summary>The first is connected to the first silo, the second to the last, the third to those that the database names.</summary>
    public ServiceProcess[] Services { get; }

    /// <summary>Whether one of them is an Orleans client.</summary>
    public bool HasGrainService => Services.Length > GrainService;

    /// <summary>Between each service over HTTP and its silo.</summary>
    public IReadOnlyList<TcpRelay> Cables => _cables!;

    /// <param name="network">The third silo runs in there; null: nobody does.</param>
    public static async Task<Cluster> StartAsync(NetworkNamespace? network = null)
    {
        var postgreSql = await PostgreSqlServer.TryStartOnAsync(network?.Outside ?? "127.0.0.1");
        Assert.SkipWhen(postgreSql is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var cluster = new Cluster(3, postgreSql!, network) { _database = await postgreSql!.CreateDatabaseAsync() };
        await cluster.StartAllAsync();
        return cluster;
    }

    /// <summary>One silo that keeps a file.</summary>
    public static async Task<Cluster> StartSqliteAsync()
    {
        var cluster = new Cluster(1, null, null);
        await cluster.StartAllAsync();
        return cluster;
    }

    /// <summary>Starts a silo in the place of one that has ended, or of none.</summary>
    public async Task StartSiloAsync(int number)
    {
        var isInside = number == 2 && _network is not null;
        var address = isInside ? _network!.Inside : _network?.Outside ?? "127.0.0.1";
        (string, string)[] environment =
        [
            .. _postgreSql is null ? [] : new[] { ("Grid__Store__ConnectionString", _database), ("Grid__Keys__EncryptionKey", _key) },
            ("Grid__Revocation__Lease", Lease.ToString()),
            ("Grid__Front__Enabled", "false"),
            ("Grid__Core__AllowInsecureAddress", "true"),
            ("Grid__Core__Address", isInside ? _network!.Door : "127.0.0.1"),
            ("Grid__Cluster__AllowUnencrypted", "true"),
            ("Grid__Cluster__Address", address),
        ];
        Silos[number]?.Dispose();
        var silo = await ServeAsync(isInside ? _network!.Prefix : [], environment);

        // Whoever is asked and does not answer is as good as away. Before anybody may ask: it cannot be set after that.
        silo.Http.Timeout = TimeSpan.FromSeconds(20);
        Silos[number] = silo;
        Lead(0, 0);
        Lead(1, Silos.Length - 1);
    }

    /// <summary>Starts a service in the place of one that has ended, or of none.</summary>
    public async Task StartServiceAsync(int number)
    {
        Services[number]?.Dispose();
        Services[number] = number == GrainService
            ? await ServiceProcess.StartAsync(Silos[0].Http.BaseAddress!, ("Cluster", _database))
            : await ServiceProcess.StartAsync(Cables[number].Url);
    }

    /// <summary>From now on a service's connections lead to this silo, as a load balancer decides.</summary>
    public void Lead(int service, int silo)
    {
        if (_cables[service] is { } cable && Silos[silo] is { } end)
        {
            cable.Target = end.Http.BaseAddress!;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Services.Cast<IDisposable?>().Concat(Silos))
        {
            process?.Dispose();
        }

        foreach (var cable in _cables)
        {
            await (cable?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        await (_postgreSql?.DisposeAsync() ?? ValueTask.CompletedTask);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAllAsync()
    {
        for (var i = 0; i < Silos.Length; i++)
        {
            await StartSiloAsync(i);
        }

        for (var i = 0; i < Services.Length; i++)
        {
            if (i < _cables.Length)
            {
                _cables[i] = new TcpRelay(Silos[i == 0 ? 0 : ^1].Http.BaseAddress!);
            }

            await StartServiceAsync(i);
        }
    }

    // A gateway has no port of the system's choice: somebody may be quicker.
    private async Task<GridProcess> ServeAsync(string[] prefix, (string Name, string Value)[] environment)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await GridProcess.ServeAsync(
                    _folder, prefix, [.. environment, ("Grid__Cluster__GatewayPort", _postgreSql is null ? "0" : FreePort().ToString(CultureInfo.InvariantCulture))]);
            }
            catch (InvalidOperationException taken) when (attempt < 5 && taken.Message.Contains("address already in use", StringComparison.OrdinalIgnoreCase))
            {
                // The next one.
            }
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
