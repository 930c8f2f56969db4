namespace Grid.Hosting.Serving;

/// <summary>Turns away whoever comes in by the gateway: no grain is meant for callers from outside the cluster.</summary>
/// <remarks>Without this a local user who speaks Orleans' protocol could change an app, which the core API asks a key for.</remarks>
internal sealed partial class RefuseClients(ISiloStatusOracle silos, ILogger<RefuseClients> logger) : IIncomingGrainCallFilter
{
    // What an Orleans client reads before it is connected: names of interfaces. Without it, it tries for ever and never hears why.
    private const string Manifest = "IClusterManifestSystemTarget";

    private bool _wasRefused;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.SourceId is { } source && source.IsClient() && !IsOfASilo(source) && context.InterfaceName?.EndsWith(Manifest, StringComparison.Ordinal) != true)
        {
            if (!_wasRefused)
            {
                _wasRefused = true;
                Log.Refused(logger, context.InterfaceName ?? "", source.ToString());
            }

            throw new UnauthorizedAccessException("Grains of Grid take no calls from outside the cluster: use the core API.");
        }

        return context.Invoke();
    }

    // A silo's own code outside grains calls as a client that bears the silo's address.
    private bool IsOfASilo(GrainId source)
    {
        var name = source.Key.ToString() ?? "";
        return silos.GetApproximateSiloStatuses().Keys.Any(silo => name == $"hosted-{silo.ToParsableString()}");
    }

    private static partial class Log
    {
        [LoggerMessage(1009, LogLevel.Warning, "Refused a call to {Interface} by {Client} from outside the cluster. All such calls are refused; this is logged once")]
        public static partial void Refused(ILogger logger, string @interface, string client);
    }
}
