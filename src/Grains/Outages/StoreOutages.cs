using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Outages;

/// <summary>Where this silo's grains report that the store is away, so that an outage under load is a few lines of the log.</summary>
internal sealed partial class StoreOutages : IDisposable
{
    private readonly OutageTally _tally;

    public StoreOutages(TimeProvider clock, ILogger<StoreOutages> logger) => _tally = new OutageTally(
        clock,
        (operation, failure) => Log.Away(logger, failure, operation),
        more => Log.StillAway(logger, more.Count, more.Kinds),
        all => Log.Over(logger, all.Count, all.Lasted));

    /// <param name="operation">What was being done: a word of the code's own, the same for every caller.</param>
    /// <param name="failure">Why.</param>
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
