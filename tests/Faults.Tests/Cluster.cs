using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Grid.TestKit;
using Grid.TestKit.History;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Grid.Faults.Tests;

/// <summary>Three real silos over one real PostgreSQL, or one over SQLite, and services that check tokens themselves: two over HTTP and, in a cluster, one over Orleans; with a lease short enough to outlast.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>Of the service that is an Orleans client, where there is a gateway.</summary>
    public const int GrainService = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-faults-").FullName;
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly ClusterPlan _plan;
    private readonly PostgreSqlServer? _postgreSql;
    private readonly TcpRelay?[] _cables = new TcpRelay?[2];
    private readonly List<TcpRelay> _others = [];
    private Balancer? _balancer;
    private HttpClient[] _losing = [];
    private string _database = "";
    private readonly HashSet<int> _nodes;

    private Cluster(int silos, PostgreSqlServer? postgreSql, ClusterPlan plan) =>
        (Silos, _postgreSql, _plan, Services, _nodes) = (new GridProcess[silos], postgreSql, plan, new ServiceProcess[postgreSql is null ? 2 : 3], plan.HasNodeServices ? [0, 1] : []);

    /// <summary>L.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(3);

    /// <summary>W, and some for a busy machine.</summary>
    public static TimeSpan LongerThanWait { get; } = TimeSpan.FromSeconds(7);

    public PostgreSqlServer PostgreSql => _postgreSql!;

    /// <summary>Where PostgreSQL keeps its data, if that can be filled.</summary>
    public SmallDisk? Disk => _plan.Disk;

    /// <summary>Where the third silo is, if it is alone there.</summary>
    public NetworkNamespace? Network => _plan.Network;

    public GridProcess[] Silos { get; }

    /// <summary>The first is connected to the first silo, the second to the last, the third to those that the database names.</summary>
    public ServiceProcess[] Services { get; }

    /// <summary>Whether one of them is an Orleans client.</summary>
    public bool HasGrainService => Services.Length > GrainService;

    /// <summary>Between each service over HTTP and its silo.</summary>
    public IReadOnlyList<TcpRelay> Cables => _cables!;

    /// <summary>Processes with many services each, if the plan asks for them, and the cable of each.</summary>
    public IReadOnlyList<(ServiceProcess Process, TcpRelay Cable)> Crowds { get; private set; } = [];

    /// <param name="network">The third silo runs in there; null: nobody does.</param>
    public static Task<Cluster> StartAsync(NetworkNamespace? network = null) => StartAsync(new ClusterPlan { Network = network });

    /// <summary>As it is planned; what the plan holds is disposed with the cluster, the network apart.</summary>
    public static async Task<Cluster> StartAsync(ClusterPlan plan)
    {
        var postgreSql = await PostgreSqlServer.TryStartOnAsync(plan.Network?.Outside ?? "127.0.0.1", plan.Disk);
        Assert.SkipWhen(postgreSql is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var cluster = new Cluster(3, postgreSql!, plan) { _database = await postgreSql!.CreateDatabaseAsync() };
        try
        {
            await cluster.StartAllAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>One silo that keeps a file.</summary>
    public static async Task<Cluster> StartSqliteAsync()
    {
        var cluster = new Cluster(1, null, new ClusterPlan());
        await cluster.StartAllAsync();
        return cluster;
    }

    /// <summary>Where a silo's callers ask it: at its own port, or all of them at the balancer before them.</summary>
    public HttpClient Door(int silo) => _balancer?.Http ?? Silos[silo].Http;

    /// <summary>The same behind a cable that loses every answer; null before <see cref="LoseAnswers"/>.</summary>
    public HttpClient? LosingDoor(int silo) => _losing.Length == 0 ? null : _losing[silo];

    /// <summary>Opens a second way to each silo, on which every answer is lost.</summary>
    public void LoseAnswers()
    {
        _losing = [.. Silos.Select(silo =>
        {
            var cable = new TcpRelay(silo.Http.BaseAddress!);
            cable.Put(Between.LostAnswers);
            _others.Add(cable);

            // Each request is the first of its connection, which nobody sends again by himself.
            return new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero }) { BaseAddress = cable.Url, Timeout = TimeSpan.FromSeconds(20) };
        })];
    }

    /// <summary>Starts a silo in the place of one that has ended, or of none.</summary>
    public async Task StartSiloAsync(int number, params (string Name, string Value)[] more)
    {
        Silos[number]?.Dispose();
        var silo = await ServeAsync(number, [.. Settings(number), .. more]);

        // Whoever is asked and does not answer is as good as away. Before anybody may ask: it cannot be set after that.
        silo.Http.Timeout = TimeSpan.FromSeconds(20);
        Silos[number] = silo;
        Lead(0, 0);
        Lead(1, Silos.Length - 1);
    }

    /// <summary>A silo that is not let in: runs a start to its end.</summary>
    public Task<(int Code, string Output)> KnockAsync(params (string Name, string Value)[] more) => GridProcess.RunAsync(
        _folder, ["serve"], [("Grid__Core__Port", "0"), .. Settings(0).Where(setting => setting.Name != "Grid__Core__Port"), ("Grid__Cluster__GatewayPort", "0"), .. more]);

    /// <summary>From the next start on silos are of the version that these tests were built with.</summary>
    public void Upgrade() => IsUpgraded = true;

    /// <summary>Starts a service in the place of one that has ended, or of none.</summary>
    public async Task StartServiceAsync(int number)
    {
        Services[number]?.Dispose();
        Services[number] = number == GrainService
            ? await ServiceProcess.StartAsync(Silos[0].Http.BaseAddress!, ("Cluster", _database))
            : _nodes.Contains(number) ? await StartNodeAsync(number) : await ServiceProcess.StartAsync(Cables[number].Url);
    }

    /// <summary>From now on this service over HTTP is a Node process.</summary>
    public Task UseNodeAsync(int number)
    {
        _nodes.Add(number);
        return StartServiceAsync(number);
    }

    /// <summary>Steps a Node service's wall clock, if the plan gives it one.</summary>
    public void StepClock(int service, TimeSpan ahead) => FakeTime.Step(ClockOf(service), ahead);

    /// <summary>From now on a service's connections lead to this silo, as a load balancer decides.</summary>
    public void Lead(int service, int silo)
    {
        if (_cables[service] is { } cable && Silos[silo] is not null)
        {
            cable.Target = Door(silo).BaseAddress!;
        }
    }

    /// <summary>Reads what the store holds, by nobody's help. Over SQLite it ends the silo first: the file has one owner.</summary>
    public async Task<StoreImage> StoredAsync(TimeSpan at)
    {
        if (_postgreSql is null)
        {
            await Silos[0].TerminateAsync();
            await using var file = new SqliteConnection($"Data Source={Path.Combine(_folder, "data", "grid.db")};Pooling=False");
            return await ReadAsync(file, "lower(hex(handle))", at);
        }

        await using var server = new NpgsqlConnection(_database + ";Pooling=false");
        return await ReadAsync(server, "handle::text", at);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Services.Cast<IDisposable?>().Concat(Silos).Concat(Crowds.Select(crowd => crowd.Process)).Append(_balancer).Concat(_losing))
        {
            process?.Dispose();
        }

        foreach (var cable in _cables.Concat(_others).Concat(Crowds.Select(crowd => crowd.Cable)))
        {
            await (cable?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        await (_postgreSql?.DisposeAsync() ?? ValueTask.CompletedTask);
        Directory.Delete(_folder, recursive: true);
    }

    private bool IsUpgraded { get; set; }

    private static async Task<StoreImage> ReadAsync(System.Data.Common.DbConnection store, string handle, TimeSpan at)
    {
        await store.OpenAsync();
        await using var read = store.CreateCommand();
#pragma warning disable CA2100 // Of two constants.
        read.CommandText =
            $"SELECT {handle}, data, NULL FROM grid_session UNION ALL SELECT {handle}, NULL, kind || ' ' || app || ' ' || COALESCE(tenant, '') || ' ' || COALESCE(user_id, '') || ' ' || COALESCE(epoch, 0) FROM grid_revocation";
#pragma warning restore CA2100
        await using var rows = await read.ExecuteReaderAsync();
        List<StoredSession> sessions = [];
        List<string> ends = [];
        while (await rows.ReadAsync())
        {
            var name = rows.IsDBNull(0) || rows.GetString(0).Length == 0 ? "" : Guid.Parse(rows.GetString(0)).ToString();
            if (rows.IsDBNull(2))
            {
                sessions.Add(new StoredSession(name, (string?)JsonNode.Parse(rows.GetString(1))?["attempt"]));
            }
            else
            {
                ends.Add($"{rows.GetString(2)} {name}");
            }
        }

        return new StoreImage { Sessions = sessions, Ends = ends, At = at };
    }

    private (string Name, string Value)[] Settings(int number)
    {
        var isInside = IsInside(number);
        return
        [
            .. _postgreSql is null ? [] : new[] { ("Grid__Store__ConnectionString", _database), ("Grid__Keys__EncryptionKey", _key) },
            ("Grid__Revocation__Lease", Lease.ToString()),
            ("Grid__Front__Enabled", "false"),
            ("Grid__Core__AllowInsecureAddress", "true"),
            ("Grid__Core__Address", isInside ? _plan.Network!.Door : "127.0.0.1"),
            ("Grid__Cluster__AllowUnencrypted", "true"),
            ("Grid__Cluster__Address", isInside ? _plan.Network!.Inside : _plan.Network?.Outside ?? "127.0.0.1"),
            .. _plan.Crowd == 0 ? [] : new[] { ("Grid__Revocation__MaxServicesPerApp", "1000") },
            .. _balancer is null ? [] : new[] { ("Grid__Core__Port", _balancer.Ports[number].ToString(CultureInfo.InvariantCulture)), ("Grid__Shutdown__Drain", "00:00:02") },
        ];
    }

    private Task<ServiceProcess> StartNodeAsync(int number)
    {
        if (!_plan.HasOwnClocks)
        {
            return NodeService.StartAsync(Cables[number].Url);
        }

        StepClock(number, TimeSpan.Zero);
        return NodeService.StartAsync(Cables[number].Url, FakeTime.By(ClockOf(number)));
    }

    private string ClockOf(int service) => Path.Combine(_folder, $"clock-{service}");

    private bool IsInside(int number) => number == 2 && _plan.Network is not null;

    private async Task StartAllAsync()
    {
        _balancer = _plan.IsBalanced ? await Balancer.StartAsync(_folder, Silos.Length) : null;

        // The first makes what the others find.
        await StartSiloAsync(0);
        await Task.WhenAll(Enumerable.Range(1, Silos.Length - 1).Select(silo => StartSiloAsync(silo)));
        for (var i = 0; i < _cables.Length; i++)
        {
            _cables[i] = new TcpRelay(Door(i == 0 ? 0 : Silos.Length - 1).BaseAddress!);
        }

        await Task.WhenAll(Enumerable.Range(0, Services.Length).Select(StartServiceAsync));
        Crowds = await Task.WhenAll(Enumerable.Range(0, _plan.Crowd == 0 ? 0 : 2).Select(async crowd =>
        {
            var cable = new TcpRelay(Door(crowd).BaseAddress!);
            return (await ServiceProcess.StartAsync(cable.Url, ("Crowd", (_plan.Crowd / 2).ToString(CultureInfo.InvariantCulture))), cable);
        }));
    }

    // A gateway has no port of the system's choice: somebody may be quicker.
    private async Task<GridProcess> ServeAsync(int number, (string Name, string Value)[] environment)
    {
        string[] prefix = [.. IsInside(number) ? _plan.Network!.Prefix : [], .. _plan.Former is { } former && !IsUpgraded ? Instead(former) : []];
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

    // Starts another build of the silo than the one that the command names.
    private static string[] Instead(string silo) => ["sh", "-c", "shift 2; exec dotnet \"$0\" \"$@\"", silo];

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
