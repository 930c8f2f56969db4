using System.Collections.Concurrent;
using Grid.GrainDoors;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Silos;

/// <summary>Turns away whoever comes in by the gateway and does not ask for a door: no other grain is meant for callers from outside the cluster.</summary>
/// <remarks>
/// Without this a local user who speaks Orleans' protocol could change an app, which the core API asks a key for. What Orleans says of a caller is
/// believed: the gateway belongs on a network of one's own, like the ports between silos.
/// </remarks>
internal sealed partial class RefuseClients(ILocalSiloDetails self, ISiloStatusOracle silos, ILogger<RefuseClients> logger) : IIncomingGrainCallFilter
{
    // What an Orleans client reads before it is connected: names of interfaces. Without it, it tries for ever and never hears why.
    private const string Manifest = "IClusterManifestSystemTarget";

    // Asked at every call of the silo's own code. There are as many as there are silos in this one's life.
    private readonly ConcurrentDictionary<GrainId, bool> _ofSilos = new();

    private bool _wasRefused;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.SourceId is { } source && source.IsClient() && !IsOfASilo(source) && !IsDoor(context) && context.InterfaceName?.EndsWith(Manifest, StringComparison.Ordinal) != true)
        {
            if (!_wasRefused)
            {
                _wasRefused = true;
                Log.Refused(logger, context.InterfaceName ?? "", source.ToString());
            }

            throw new UnauthorizedAccessException("This grain takes no calls from outside the cluster: use GridSessions.GrainClient, or the core API.");
        }

        return context.Invoke();
    }

    // By the interface that the method belongs to: a grain could have more than one.
    private static bool IsDoor(IIncomingGrainCallContext context) => typeof(IGrainDoor).IsAssignableFrom(context.InterfaceMethod?.DeclaringType);

    // A silo's own code outside grains calls as a client that bears the silo's address; this one's before it has joined, too.
    private bool IsOfASilo(GrainId source)
    {
        if (_ofSilos.ContainsKey(source))
        {
            return true;
        }

        var name = source.Key.ToString() ?? "";
        return silos.GetApproximateSiloStatuses().Keys.Prepend(self.SiloAddress).Any(silo => name == $"hosted-{silo.ToParsableString()}")
            && Remember(source);
    }

    private bool Remember(GrainId source) => _ofSilos[source] = true;

    private static partial class Log
    {
        [LoggerMessage(1009, LogLevel.Warning, "Refused a call to {Interface} by {Client} from outside the cluster. All such calls are refused; this is logged once")]
        public static partial void Refused(ILogger logger, string @interface, string client);
    }
}

/// <summary><c>silo.RefuseClients()</c>.</summary>
public static class RefuseClientsExtensions
{
    /// <summary>For every silo of a cluster, whether its own gateway is open or not: from outside the cluster only doors can be called.</summary>
    public static ISiloBuilder RefuseClients(this ISiloBuilder silo) => silo.AddIncomingGrainCallFilter<RefuseClients>();
}
