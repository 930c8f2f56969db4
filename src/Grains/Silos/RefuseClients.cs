using System.Collections.Concurrent;
using Grid.GrainDoors;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Silos;

/// <summary>Turns away whoever comes in by the gateway and does not ask for a door: no other grain is meant for callers from outside the cluster.</summary>
/// <remarks>
/// Without this a local user who speaks Orleans' protocol could change an app, which the core API asks a key for. What Orleans says of a caller is
/// believed: the gateway belongs on a network of one's own, like the ports between silos.
/// </remarks>
internal sealed partial class RefuseClients(ILocalSiloDetails self, IClusterMembershipService membership, ILogger<RefuseClients> logger) : IIncomingGrainCallFilter
{
    // What an Orleans client reads before it is connected: names of interfaces. Without it, it tries for ever and never hears why.
    private const string Manifest = "IClusterManifestSystemTarget";

    // How a silo's own code outside grains is named, before the silo's address.
    private const string Hosted = "hosted-";

    // Asked at every call of the silo's own code. There are as many as there are silos in this one's life.
    private readonly ConcurrentDictionary<GrainId, bool> _ofSilos = new();

    private Task? _refresh;
    private bool _wasRefused;

    public Task Invoke(IIncomingGrainCallContext context) =>
        context.SourceId is { } source && source.IsClient() && !IsDoor(context) && context.InterfaceName?.EndsWith(Manifest, StringComparison.Ordinal) != true && !IsOfASilo(source)
            ? InvokeIfJoinedAsync(context, source)
            : context.Invoke();

    // A silo that has just joined calls before its peers have heard of it: they read the table of silos before they say no.
    private async Task InvokeIfJoinedAsync(IIncomingGrainCallContext context, GrainId source)
    {
        if (!await HasJoinedAsync(source))
        {
            if (!_wasRefused)
            {
                _wasRefused = true;
                Log.Refused(logger, context.InterfaceName ?? "", source.ToString());
            }

            throw new UnauthorizedAccessException("This grain takes no calls from outside the cluster: use GridSessions.GrainClient, or the core API.");
        }

        await context.Invoke();
    }

    private async Task<bool> HasJoinedAsync(GrainId source)
    {
        // A read that is under way may have begun before the caller joined; all who ask meanwhile share the next.
        for (var reads = 0; reads < 2 && HasASilosName(source) && !IsOfASilo(source); reads++)
        {
            try
            {
                await RefreshAsync();
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                return false;
            }
        }

        return IsOfASilo(source);
    }

    private Task RefreshAsync()
    {
        lock (_ofSilos)
        {
            return _refresh is { IsCompleted: false } ? _refresh : _refresh = membership.Refresh().AsTask();
        }
    }

    // By the interface that the method belongs to: a grain could have more than one.
    private static bool IsDoor(IIncomingGrainCallContext context) => typeof(IGrainDoor).IsAssignableFrom(context.InterfaceMethod?.DeclaringType);

    private static bool HasASilosName(GrainId source) => source.Key.ToString()?.StartsWith(Hosted, StringComparison.Ordinal) == true;

    // A silo's own code outside grains calls as a client that bears the silo's address; this one's before it has joined, too.
    private bool IsOfASilo(GrainId source)
    {
        if (_ofSilos.ContainsKey(source))
        {
            return true;
        }

        var name = source.Key.ToString();
        return membership.CurrentSnapshot.Members.Keys.Prepend(self.SiloAddress).Any(silo => name == Hosted + silo.ToParsableString()) && (_ofSilos[source] = true);
    }

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
