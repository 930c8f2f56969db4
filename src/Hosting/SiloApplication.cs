using System.Data.Common;
using System.Net;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Telemetry;
using Grid.GrainDoors.Certificates;
using Grid.Hosting.Health;
using Grid.Hosting.Importing;
using Grid.Hosting.Installation;
using Grid.Hosting.Joining;
using Grid.Hosting.Presence;
using Grid.Hosting.Secrets;
using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Grid.Revocation.Registry;
using Grid.Storage;
using Grid.Tokens.SigningKeys;
using Grid.WebFront.Core;
using Grid.WebFront.Doors;
using Grid.WebFront.Front;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Grid.Hosting;

/// <summary>
/// A silo with its doors, an application of its own: what <c>grid serve</c> runs and what <c>AddGridSilo()</c> hosts inside another
/// application, whose services, endpoints, addresses and Orleans, if it has one, it leaves alone.
/// </summary>
/// <remarks>Longer than most files: what starts a silo and what ends it, and in which order, is read in one place.</remarks>
internal sealed partial class SiloApplication : IAsyncDisposable
{
    private readonly SiloPlan _plan;
    private readonly GridSettings _settings;
    private readonly ConnectionBudget _connections;
    private readonly HeldPorts _ports;
    private readonly WebApplication _app;
    private readonly ILogger _logger;
    private readonly bool _knowsAddress;
    private KeyProtector? _protector;
    private bool _hasBegun;
    private int _disposals;

    private SiloApplication(SiloPlan plan, ConnectionBudget connections, HeldPorts ports, PeerCertificates? certificates, bool knowsAddress)
    {
        (_plan, _settings, _connections, _ports, _knowsAddress) = (plan, plan.Settings, connections, ports, knowsAddress);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = plan.Environment });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(plan.Configuration);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_settings.Defaults);
        builder.Services.AddSingleton(Options.Create(_settings.Purge));
        builder.Services.AddSingleton(Options.Create(_settings.Revocation));

        // Which key may be used is known when the store has been asked.
        builder.Services.AddSingleton(_ => _protector ?? throw new InvalidOperationException("The store has not been checked yet."));
        builder.Services.AddGridStorage(_settings.Store);
        if (_settings.ReadThrough is { } source)
        {
            builder.Services.AddGridReadThrough(source);
        }

        builder.Services.AddSingleton(_settings.Overload.Limits);
        builder.Services.AddGridCore();
        if (_settings.Upstream is { } upstream)
        {
            builder.Services.AddGridUpstream(upstream);
        }

        builder.Services.AddGridFront(_settings.Front.ToSettings(_settings.FrontAddress, builder.Environment.EnvironmentName, connections.Front));
        builder.Services.AddGridHealth(_settings.Upstream is not null, _settings.ReadThrough is not null);
        builder.Services.AddApiKeyWatch(_settings.ApiKeyFiles);
        builder.AddGridSilo(_settings, ports, certificates);
        if (ports.Silo is not null)
        {
            builder.Services.AddHostedService<ReachedBack>();
        }

        builder.Services.AddHostedService<AnnounceKeys>();
        builder.Services.AddHostedService<ReadAhead>();
        builder.AddGridDrain(ports.Core is null && ports.Front is null ? TimeSpan.Zero : _settings.Shutdown.DrainIn(builder.Environment.EnvironmentName));
        builder.WebHost.AddGridKestrel(connections, ports);
        if (ports.Core is null && ports.Front is null)
        {
            builder.Services.AddSingleton<IServer, NoServer>();
        }

        plan.Complete(builder);
        _app = builder.Build();
        _logger = _app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Grid");
        if (certificates is not null)
        {
            var clock = _app.Services.GetRequiredService<TimeProvider>();
            _app.Services.GetRequiredService<GridMetrics>().Certificate(() => (certificates.Current.NotAfter.ToUniversalTime() - clock.GetUtcNow().UtcDateTime).TotalSeconds);
        }

        foreach (var (key, nearest) in plan.UnknownKeys)
        {
            Log.UnknownKey(_logger, key, nearest);
        }
    }

    public IServiceProvider Services => _app.Services;

    /// <summary>Where the core API listens; null if it is closed.</summary>
    public Uri? Core { get; private set; }

    /// <summary>Where the front listens; null if it is closed.</summary>
    public Uri? Front { get; private set; }

    /// <summary>Takes the ports and puts everything together. Neither store nor cluster is touched.</summary>
    /// <exception cref="SettingsException">A port cannot be bound, or too few connections would be left.</exception>
    public static SiloApplication Build(SiloPlan plan)
    {
        var connections = ConnectionBudget.Of(plan.Settings, ConnectionBudget.ReadLimit());
        var found = plan.Settings.ClusterAddress ?? ClusterAddress.TryFind(plan.Settings.Store);
        var address = found ?? IPAddress.Loopback;
        plan.Settings.CheckClusterAddress(address, isFound: plan.Settings.ClusterAddress is null);
        var certificates = ReadCertificates(plan.Settings);
        var ports = HeldPorts.Take(plan.Settings, address, plan.OpensCore, plan.OpensFront, plan.OpensGateway);
        try
        {
            return new SiloApplication(plan, connections, ports, certificates, knowsAddress: found is not null);
        }
        catch
        {
            ports.Dispose();
            throw;
        }
    }

    /// <summary>Checks store and key, joins the cluster, opens the doors.</summary>
    /// <exception cref="SettingsException">Another key, or another cluster's store.</exception>
    /// <exception cref="StoreStartException">The store does not answer, or is not as it should be.</exception>
    /// <exception cref="ClusterStartException">The silos that are at work and this one do not reach each other.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var facts = await PrepareStoreAsync();
        if (!_knowsAddress)
        {
            ClusterAddress.RefuseIfFoundLate(ClusterAddress.TryFind(_settings.Store));
        }

        (_protector, var keyOrigin, var isChanging) = await InstallationCheck.RunAsync(Services.GetRequiredService<IInstallationStore>(), _settings);
        Log.Keys(_logger, keyOrigin, _protector.KeyId);
        if (isChanging)
        {
            Log.KeyIsChanging(_logger);
        }

        foreach (var warning in EncryptionKeyFile.OpenToOthers(_settings))
        {
            Log.KeyIsOpen(_logger, warning);
        }

        if (_ports.Silo is { EndPoint: var peers })
        {
            Log.ClusterAddress(_logger, peers.Address, peers.Port, _settings.ClusterAddress is null ? "the local address by which the database is reached" : "Grid:Cluster:Address");
            if (_settings.Certificates is null && !IPAddress.IsLoopback(peers.Address))
            {
                Log.Unencrypted(_logger, peers.Address);
            }
        }

        await DescribeDatabaseConnectionsAsync(facts);
        if (_connections.Descriptors is < ConnectionBudget.Comfortable and { } few)
        {
            Log.FewDescriptors(_logger, few, _connections.Core, _connections.Front);
        }

        if (_ports.Silo is not null)
        {
            await Services.GetRequiredService<ISiloPresence>().BeginAsync(cancellationToken);
            RequireSettledSchema();
            await Services.GetRequiredService<FormerSilos>().DeclareDeadAsync(cancellationToken);
        }

        await RequireClusterAsync(cancellationToken);
        Map();
        _hasBegun = true;
        await JoinAsync(cancellationToken);
        var urls = new Queue<string>(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        if (_ports.Core is not null)
        {
            Core = new Uri(urls.Peek());
            Log.Listening(_logger, urls.Dequeue());
        }

        if (_ports.Front is not null)
        {
            Front = new Uri(urls.Peek());
            Log.FrontListening(_logger, urls.Dequeue());
        }

        Log.Ready(_logger, _settings.Defaults.ApiKeyHashes.Length);
    }

    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _app.WaitForShutdownAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    /// <summary>Ends it in order first, but without a drain, if nobody has: what is left running would write to a store that is closed, and others would wait for it.</summary>
    public async ValueTask DisposeAsync()
    {
        // Who is registered as two services is disposed as two.
        if (Interlocked.Increment(ref _disposals) > 1)
        {
            return;
        }

        if (_hasBegun && !_app.Lifetime.ApplicationStopped.IsCancellationRequested)
        {
            try
            {
                Services.GetRequiredService<Drain>().Skip();
                await _app.StopAsync();
            }
            catch (Exception failure)
            {
                Log.NotStopped(_logger, failure);
            }
        }

        await _app.DisposeAsync();
        _ports.Dispose();
    }

    private static PeerCertificates? ReadCertificates(GridSettings settings)
    {
        if (settings.Certificates is not { } files)
        {
            return null;
        }

        try
        {
            var certificates = new PeerCertificates(files, isSilo: true, TimeProvider.System);
            _ = certificates.Current;
            return certificates;
        }
        catch (UnusableCertificateException failure)
        {
            throw new SettingsException(failure.Message);
        }
    }

    // Not before the key is known: what answers requests holds it.
    private void Map()
    {
        _app.UseGridDrain();
        _app.UseGridFraming();
        _app.UseGridHealth();
        if (_ports.Front is not null)
        {
            _app.MapWhen(KestrelHosting.IsFront, front => front.UseGridFront());
        }

        foreach (var (path, key, answer) in _plan.OperatorPages)
        {
            _app.UseOperatorPage(path, key, answer);
        }

        _app.UseBasePath(_settings.Core.BasePath);
        _app.UseGridCore();
    }

    private async Task RequireClusterAsync(CancellationToken cancellationToken)
    {
        if (_ports.Silo is not { EndPoint: var here })
        {
            return;
        }

        await ProtocolCheck.RunAsync(Services.GetRequiredService<IHolderRegistry>(), cancellationToken);
        try
        {
            await new JoinCheck(Services.GetRequiredService<IMembershipTable>(), Services.GetService<PeerCertificates>()).RunAsync(here, cancellationToken);
        }
        catch (Exception failure) when (failure is DbException or TimeoutException)
        {
            throw StoreStartException.StoppedAnswering(failure);
        }
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is OrleansException or SiloUnavailableException && _ports.Silo is not null)
        {
            // Each silo was reached a moment ago.
            throw new ClusterStartException(
                $"This silo did not get into the cluster: {failure.Message} Start it again; if that does not help, see that the others reach {_ports.Silo.EndPoint} (Grid:Cluster:Address, Grid:Cluster:SiloPort), and what they log.", failure);
        }
    }

    private async Task<StoreFacts> PrepareStoreAsync()
    {
        var startup = Services.GetRequiredService<IStoreStartup>();
        startup.TakeOwnership();
        var migrator = StoreMigrator.For(_settings.Store);
        var schema = migrator.Status();
        if (schema.State == SchemaState.Behind)
        {
            if (!_settings.MigrateAtStart)
            {
                throw new StoreStartException($"The database is at schema {schema.Applied ?? "(empty)"}, this version needs {schema.Known}. Run 'grid migrate', or set Grid:Store:MigrateAtStart to true.");
            }

            schema = migrator.Apply();
        }

        if (schema.State == SchemaState.Newer)
        {
            throw StoreMigrator.Newer(schema);
        }

        var facts = await startup.CheckAsync(CancellationToken.None);
        Log.Store(_logger, facts.Engine, facts.Place, schema.Applied!);
        if (schema.State == SchemaState.Ahead)
        {
            Log.SchemaIsAhead(_logger, schema.Applied!, schema.Known);
        }

        foreach (var warning in facts.Warnings)
        {
            Log.UnsafeStore(_logger, warning);
        }

        return facts;
    }

    // Migrations have regard to this silo from now on; one may have ended since its start has looked.
    private void RequireSettledSchema()
    {
        if (StoreMigrator.For(_settings.Store).Settled() is { State: SchemaState.Newer } schema)
        {
            throw StoreMigrator.Newer(schema);
        }
    }

    private async Task DescribeDatabaseConnectionsAsync(StoreFacts facts)
    {
        if (_ports.Silo is not { EndPoint: var here })
        {
            return;
        }

        if (facts.Room is not { } room)
        {
            Log.ConnectionsToPooler(_logger, _settings.Store.MaxConnections, _settings.Store.Sharing);
            return;
        }

        var silos = await KnownSilos.CountAsync(Services.GetRequiredService<IHolderRegistry>(), here);
        var needed = silos * _settings.Store.MaxConnections;
        if (needed <= room.Connections)
        {
            Log.ConnectionsFit(_logger, _settings.Store.MaxConnections, _settings.Store.Sharing, silos, needed, room.Connections);
        }
        else
        {
            Log.ConnectionsDoNotFit(_logger, _settings.Store.MaxConnections, silos, needed, room.Connections, room.Limit);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1000, LogLevel.Information, "Core API listens on {Url}")]
        public static partial void Listening(ILogger logger, string url);

        [LoggerMessage(1006, LogLevel.Information, "Front for browsers listens on {Url}")]
        public static partial void FrontListening(ILogger logger, string url);

        [LoggerMessage(1001, LogLevel.Information, "Store: {Engine} at {Place}, schema {Schema}")]
        public static partial void Store(ILogger logger, string engine, string place, string schema);

        [LoggerMessage(1015, LogLevel.Information, "The database has schema {Schema}, of a later version; this version, which knows {Known}, works over it. Finish the upgrade")]
        public static partial void SchemaIsAhead(ILogger logger, string schema, string known);

        [LoggerMessage(1002, LogLevel.Information, "Key-encryption key from {Origin}, id {KeyId}")]
        public static partial void Keys(ILogger logger, string origin, string keyId);

        [LoggerMessage(1008, LogLevel.Information, "The installation still uses the previous key-encryption key; run 'grid keys rotate-encryption-key' when every silo holds both")]
        public static partial void KeyIsChanging(ILogger logger);

        [LoggerMessage(1003, LogLevel.Information, "Ready. API keys configured: {Count}")]
        public static partial void Ready(ILogger logger, int count);

        [LoggerMessage(1046, LogLevel.Information, "Other silos reach this one at {Address}:{Port} ({Origin})")]
        public static partial void ClusterAddress(ILogger logger, IPAddress address, int port, string origin);

        [LoggerMessage(1047, LogLevel.Warning, "UNENCRYPTED CLUSTER, allowed by Grid:Cluster:AllowUnencrypted: whoever reaches {Address} is believed to be a silo")]
        public static partial void Unencrypted(ILogger logger, IPAddress address);

        [LoggerMessage(1023, LogLevel.Warning, "This process may open only {Descriptors} files and sockets: the core API accepts {Core} connections at once, the front {Front}. Raise 'ulimit -n' (LimitNOFILE=, '--ulimit nofile=') for more")]
        public static partial void FewDescriptors(ILogger logger, long descriptors, int core, int front);

        [LoggerMessage(1034, LogLevel.Warning, "The silo did not stop in order")]
        public static partial void NotStopped(ILogger logger, Exception failure);

        [LoggerMessage(1011, LogLevel.Warning, "{Warning}")]
        public static partial void KeyIsOpen(ILogger logger, string warning);

        [LoggerMessage(1004, LogLevel.Warning, "Unknown setting {Key} has no effect; did you mean {Nearest}?")]
        public static partial void UnknownKey(ILogger logger, string key, string nearest);

        [LoggerMessage(1012, LogLevel.Information, "At most {Connections} connections to PostgreSQL: {Shares}. With them the silos known ({Silos}) need {Needed}, and PostgreSQL has {Room}")]
        public static partial void ConnectionsFit(ILogger logger, int connections, string shares, int silos, int needed, int room);

        [LoggerMessage(1013, LogLevel.Warning, "At most {Connections} connections to PostgreSQL, and the silos known ({Silos}) may need {Needed}, but PostgreSQL has {Room} (by {Limit}): beyond those, requests are answered 503. Raise that limit, lower Grid:Store:MaxConnections in every silo, or put PgBouncer in between")]
        public static partial void ConnectionsDoNotFit(ILogger logger, int connections, int silos, int needed, int room, string limit);

        [LoggerMessage(1014, LogLevel.Information, "At most {Connections} connections to the pooler before PostgreSQL: {Shares}. How many it has itself, its own settings say")]
        public static partial void ConnectionsToPooler(ILogger logger, int connections, string shares);

        [LoggerMessage(1005, LogLevel.Warning, "UNSAFE STORE, allowed by Grid:Store:AllowUnsafeDurability: {Warning}")]
        public static partial void UnsafeStore(ILogger logger, string warning);
    }
}
