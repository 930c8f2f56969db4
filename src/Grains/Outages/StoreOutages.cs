using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Outages;

/// <summary>Where this silo's grains report failures of the store, so that an outage under load takes a few lines of log.</summary>
internal sealed partial class StoreOutages : IDisposable
{
    private readonly OutageTally _tally;

    public StoreOutages(TimeProvider clock, ILogger<StoreOutages> logger) => _tally = new OutageTally(
        clock,
        (operation, failure) => Log.Away(logger, failure, operation),
        more => Log.StillAway(logger, more.Count, more.Kinds),
        all => Log.Over(logger, all.Count, all.Lasted));

    /// <param name="operation">What was being done: a constant, not data.</param>
    /// <param name="failure">The failure, for the first line.</param>
    public void Met(string operation, Exception failure) => _tally.Met(operation, failure);

    public void Dispose() => _tally.Dispose();

    private static partial class Log
    {
        [LoggerMessage(2101, LogLevel.Warning, "Store unavailable during {Operation}; the outcome is unknown. Further failures are counted")]
        public static partial void Away(ILogger logger, Exception? failure, string operation);

        [LoggerMessage(2102, LogLevel.Warning, "Store still unavailable: {Count} more operations with an unknown outcome ({Operations})")]
        public static partial void StillAway(ILogger logger, long count, string operations);

        [LoggerMessage(2103, LogLevel.Information, "Store available again; {Count} operations failed in {Lasted}")]
        public static partial void Over(ILogger logger, long count, TimeSpan lasted);
    }
}
