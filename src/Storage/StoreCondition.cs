using Grid.Abstractions;
using Grid.Abstractions.Sessions;
using Microsoft.Extensions.Logging;

namespace Grid.Storage;

/// <inheritdoc cref="IStoreCondition"/>
/// <remarks>Writers report here. One log line per change of condition, not per refused write.</remarks>
internal sealed partial class StoreCondition(TimeProvider clock, ILogger<StoreCondition> logger) : IStoreCondition
{
    // A disk that is nearly full takes the small writes and refuses the large ones: one success is not yet the end of it.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private volatile StoreTrouble? _trouble;
    private long _lastFailure;
    private long _refused;

    public StoreTrouble? Trouble => _trouble;

    /// <summary>A write is durable.</summary>
    public void Worked()
    {
        if (_trouble is not { NeedsRestart: false } || clock.GetElapsedTime(Volatile.Read(ref _lastFailure)) < Quiet)
        {
            return;
        }

        lock (_gate)
        {
            if (_trouble is { NeedsRestart: false } past)
            {
                _trouble = null;
                Log.Over(logger, (long)(clock.GetUtcNow() - past.Since).TotalSeconds, _refused);
            }
        }
    }

    /// <summary>A write was refused for a reason that applies to all writes.</summary>
    public void Failed(string reason)
    {
        lock (_gate)
        {
            Volatile.Write(ref _lastFailure, clock.GetTimestamp());
            _refused++;
            if (_trouble is null)
            {
                _refused = 1;
                _trouble = new StoreTrouble(reason, clock.GetUtcNow(), NeedsRestart: false);
                Log.TakesNoWrites(logger, reason);
            }
        }
    }

    /// <summary>The store is no longer the one that this process opened: from now on nothing is read or written.</summary>
    public void Condemn(string reason)
    {
        lock (_gate)
        {
            if (_trouble is not { NeedsRestart: true })
            {
                _trouble = new StoreTrouble(reason, clock.GetUtcNow(), NeedsRestart: true);
                Log.Condemned(logger, reason);
            }
        }
    }

    /// <exception cref="StoreUnavailableException">It is condemned.</exception>
    public void ThrowIfCondemned()
    {
        if (_trouble is { NeedsRestart: true } trouble)
        {
            throw new StoreUnavailableException(trouble.Reason);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2601, LogLevel.Error, "The store takes no writes: {Reason}")]
        public static partial void TakesNoWrites(ILogger logger, string reason);

        [LoggerMessage(2602, LogLevel.Information, "The store accepts writes again, after {Seconds} s and {Count} refused transactions")]
        public static partial void Over(ILogger logger, long seconds, long count);

        [LoggerMessage(2603, LogLevel.Critical, "The store is closed to reads and writes: {Reason}")]
        public static partial void Condemned(ILogger logger, string reason);
    }
}
