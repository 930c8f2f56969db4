using System.Net;
using System.Net.Sockets;
using Grid.Grains;
using Grid.Silo.Settings;
using Grid.Storage;
using Orleans.Configuration;
using Orleans.Storage;

namespace Grid.Silo.Hosting;

/// <summary>Makes this process a silo: alone over a file, or one of a cluster over PostgreSQL.</summary>
internal static class OrleansHosting
{
    private const string ServiceId = "grid";

    // Orleans' own provider, which ExactKeyStorage stands before.
    private const string Rows = "rows";

    public static void AddGridSilo(this IHostApplicationBuilder builder, GridSettings settings) => builder.UseOrleans(silo =>
    {
        var store = settings.Store;
        silo.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (settings.Cluster.Id, ServiceId));
        var address = IPAddress.TryParse(settings.Cluster.Address, out var parsed)
            ? parsed
            : throw new SettingsException($"Grid:Cluster:Address must be an IP address; '{settings.Cluster.Address}' is none.");
        var siloPort = Free(settings.Cluster.SiloPort);
        var gatewayPort = Free(settings.Cluster.GatewayPort);
        if (store.Engine == StoreEngine.PostgreSql)
        {
            silo.ConfigureEndpoints(address, siloPort, gatewayPort, listenOnAnyHostAddress: false);
            silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (store.ProviderName, store.ProviderConnectionString));
            silo.UseAdoNetReminderService(options => (options.Invariant, options.ConnectionString) = (store.ProviderName, store.ProviderConnectionString));

            // A silo that died without a word holds up its grains until its peers agree on it: seconds, not minutes.
            silo.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(2);
                options.NumMissedProbesLimit = 2;
                options.TableRefreshTimeout = TimeSpan.FromSeconds(10);

                // A silo that starts tries to reach every one that looks alive first: after a crash that is its own past.
                options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedTableIAmAliveLimit = 3;
                options.DefunctSiloExpiration = TimeSpan.FromHours(1);
            });
        }
        else
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort, serviceId: ServiceId, clusterId: settings.Cluster.Id);
            silo.UseInMemoryReminderService();
        }

        silo.AddAdoNetGrainStorage(Rows, options =>
            (options.Invariant, options.ConnectionString, options.DeleteStateOnClear) = (store.ProviderName, store.ProviderConnectionString, false));
        silo.Services.AddKeyedSingleton<IGrainStorage>(GrainStores.State, (services, _) => new GuardedGrainStorage(
            new ExactKeyStorage(services.GetRequiredKeyedService<IGrainStorage>(Rows)), services.GetRequiredService<IStoreGuard>()));
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(10));
        silo.AddGridGrains();
    });

    private static int Free(int port)
    {
        if (port != 0)
        {
            return port;
        }

        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
