using System.Net;
using Grid.Hosting.Settings;
using Grid.Storage;

namespace Grid.Hosting.Serving;

/// <summary>Every port of a silo, bound before the store is touched and the cluster joined: a silo that finds out later leaves traces in both.</summary>
/// <param name="Core">The core API's; null if it is closed.</param>
/// <param name="Front">The front's; null if there is none.</param>
/// <param name="Silo">For the other silos; null without a cluster: a lone silo has no peers.</param>
/// <param name="Gateway">For Orleans clients; null if it is closed.</param>
internal sealed record HeldPorts(HeldPort? Core, HeldPort? Front, HeldPort? Silo, HeldPort? Gateway) : IDisposable
{
    /// <param name="settings">With addresses and ports.</param>
    /// <param name="clusterAddress">For silo port and gateway.</param>
    /// <param name="opensCore">Whether the core API is to be reached from outside this process.</param>
    /// <param name="opensFront">Whether the front is.</param>
    /// <param name="opensGateway">Whether the gateway is, also of a silo that is alone.</param>
    /// <exception cref="SettingsException">One cannot be bound; names the setting and the repair.</exception>
    public static HeldPorts Take(GridSettings settings, IPAddress clusterAddress, bool opensCore, bool opensFront, bool opensGateway)
    {
        const string anyOf = "to one of them, or to '*' for all";
        const string peers = "to the one on which the other silos reach this one";
        var isCluster = settings.Store.Engine == StoreEngine.PostgreSql;
        List<HeldPort> taken = [];
        try
        {
            // All are held at once: one port for two is found, too.
            return new HeldPorts(
                opensCore ? Held(HeldPort.Take(settings.Address, settings.Core.Port, CoreApiOptions.Section, nameof(CoreApiOptions.Port), anyOf)) : null,
                opensFront ? Held(HeldPort.Take(settings.FrontAddress, settings.Front.Port, FrontOptions.Section, nameof(FrontOptions.Port), anyOf)) : null,
                isCluster ? Held(HeldPort.Take(clusterAddress, settings.Cluster.SiloPort, ClusterOptions.Section, nameof(ClusterOptions.SiloPort), peers)) : null,
                opensGateway || (isCluster && settings.Cluster.GatewayPort != 0)
                    ? Held(HeldPort.Take(clusterAddress, settings.Cluster.GatewayPort, ClusterOptions.Section, nameof(ClusterOptions.GatewayPort), peers))
                    : null);
        }
        catch
        {
            taken.ForEach(port => port.Dispose());
            throw;
        }

        HeldPort Held(HeldPort port)
        {
            taken.Add(port);
            return port;
        }
    }

    public void Dispose()
    {
        Core?.Dispose();
        Front?.Dispose();
        Silo?.Dispose();
        Gateway?.Dispose();
    }
}
