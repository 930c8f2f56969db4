using Grid.GrainDoors.Certificates;
using Grid.Grains;
using Grid.Grains.Silos;
using Grid.Hosting.Presence;
using Grid.Hosting.Settings;
using Grid.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Storage;

namespace Grid.Hosting.Serving;

/// <summary>Makes this process a silo: alone over a file, or one of a cluster over PostgreSQL.</summary>
internal static class OrleansHosting
{
    private const string ServiceId = "grid";

    // What is read before anybody knows who sends it, a gateway's stranger too; by default it is ten times as much. A user's 300,000 handles
    // are the largest there is between silos, and a door takes no more than a body of the core API.
    private const int LargestHeader = 256 * 1024;
    private const int LargestBody = 16 * 1024 * 1024;

    // Orleans' own provider, which ExactKeyStorage stands before.
    private const string Rows = "rows";

    /// <param name="builder">The host's.</param>
    /// <param name="settings">All of them.</param>
    /// <param name="ports">With those of the cluster, if there is one.</param>
    /// <param name="certificates">For TLS; null without.</param>
    public static void AddGridSilo(this IHostApplicationBuilder builder, GridSettings settings, HeldPorts ports, PeerCertificates? certificates) => builder.UseOrleans(silo =>
    {
        var store = settings.Store;
        silo.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (settings.Cluster.Id, ServiceId));
        if (ports.Silo is { EndPoint: var peers })
        {
            silo.ConfigureEndpoints(peers.Address, peers.Port, ports.Gateway?.EndPoint.Port ?? 0, listenOnAnyHostAddress: false);
            silo.Services.ListenOn(ports.Silo, ports.Gateway);
            silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (store.ProviderName, store.MembershipConnectionString));
            silo.UseAdoNetReminderService(options => (options.Invariant, options.ConnectionString) = (store.ProviderName, store.ProviderConnectionString));
            silo.Services.AddOptions<SiloOptions>().Configure<ISiloPresence>((options, presence) => options.SiloName = SiloNames.With(Environment.MachineName, presence.Mark));
            silo.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler, DeclaredDead>());
            silo.Services.AddSingleton<EndedSilos>();
            silo.Services.AddSingleton<FormerSilos>();
            silo.Services.AddHostedService<SiloWatch>();
            silo.Services.AddHostedService<OvertakenSilo>();

            // A crashed silo blocks its grains until its peers declare it dead: that should take seconds, not minutes.
            silo.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(2);
                options.NumMissedProbesLimit = 2;
                options.TableRefreshTimeout = TimeSpan.FromSeconds(10);

                // A starting silo first tries to reach every silo that looks alive: after a crash that includes its own former incarnation.
                options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedTableIAmAliveLimit = 3;
                options.DefunctSiloExpiration = TimeSpan.FromHours(1);
            });
        }
        else
        {
            // Alone: it has a name, and no peers.
            silo.UseLocalhostClustering(serviceId: ServiceId, clusterId: settings.Cluster.Id);
            silo.Configure<EndpointOptions>(options => options.GatewayPort = ports.Gateway?.EndPoint.Port ?? 0);
            silo.Services.ListenOn(null, ports.Gateway);
            silo.UseInMemoryReminderService();
        }

        if (certificates is not null)
        {
            ClusterTls.Use(silo, certificates);
        }

        // Also where no gateway is open: that of another silo hands its clients' calls to the grains that live here.
        if (ports.Silo is not null || ports.Gateway is not null)
        {
            silo.RefuseClients();
        }

        silo.AddAdoNetGrainStorage(Rows, options =>
            (options.Invariant, options.ConnectionString, options.DeleteStateOnClear) = (store.ProviderName, store.ProviderConnectionString, false));
        silo.Services.AddKeyedSingleton<IGrainStorage>(GrainStores.State, (services, _) => new GuardedGrainStorage(
            new ExactKeyStorage(services.GetRequiredKeyedService<IGrainStorage>(Rows)), services.GetRequiredService<IStoreGuard>()));
        silo.Configure<SiloMessagingOptions>(options =>
            (options.ResponseTimeout, options.MaxMessageHeaderSize, options.MaxMessageBodySize) = (TimeSpan.FromSeconds(10), LargestHeader, LargestBody));
        silo.AddGridGrains();
    });
}
