namespace Grid.Abstractions.Installation;

/// <summary>A time that the store vouches for.</summary>
/// <param name="Time">The server's clock, or the newest time that was written down; null = nothing yet.</param>
/// <param name="IsRunning">Whether it is a running clock. Otherwise it is a mark of a past time: this machine's clock is wrong if it is behind the mark.</param>
public readonly record struct StoreTime(DateTimeOffset? Time, bool IsRunning);

/// <summary>The reference for this machine's clock.</summary>
public interface IStoreClock
{
    /// <summary>One round trip.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    ValueTask<StoreTime> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes a time down, where the store has no clock of its own; never an earlier one unless <paramref name="backwards"/>.</summary>
    ValueTask MarkAsync(DateTimeOffset now, bool backwards, CancellationToken cancellationToken);
}
