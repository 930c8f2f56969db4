namespace Grid.Revocation.Holders;

/// <summary>Until when an incarnation may vouch for sessions: to the end of its lease (h2), and only while both of its clocks agree (h6).</summary>
/// <param name="clock">Both clocks: monotonic and wall time.</param>
/// <param name="lease">L.</param>
/// <param name="onSuspected">Called when the clocks disagree.</param>
internal sealed class Freshness(TimeProvider clock, TimeSpan lease, Action onSuspected)
{
    // h6: a clock that jumped, or stood still while the other went on.
    private static readonly TimeSpan MaxDrift = TimeSpan.FromMilliseconds(500);

    private readonly long _lease = clock.ToTicks(lease);
    private volatile Lease? _current;

    /// <summary>End of the current lease; null while there is none. For the model.</summary>
    internal long? Until => _current?.Until;

    /// <summary>Time since the renewal behind the current lease was sent; null if it is not fresh.</summary>
    public TimeSpan? Age => _current is { } current && IsFreshNow(out _) ? clock.GetElapsedTime(current.SentAt) : null;

    /// <summary>Whether it may vouch at this moment.</summary>
    /// <param name="wall">Wall time at this moment; meaningful only if the result is true.</param>
    public bool IsFreshNow(out DateTimeOffset wall)
    {
        if (_current is not { } current)
        {
            wall = default;
            return false;
        }

        wall = clock.GetUtcNow();
        var now = clock.GetTimestamp();
        if (now >= current.Until)
        {
            return false;
        }

        return Agree(current, wall, now) || AgreeAfterAll(current);
    }

    /// <summary>h2: the lease counts from the sending of the renewal. An answer overtaken by a later one does not shorten it.</summary>
    /// <remarks>Not thread-safe: the holder's lock is held.</remarks>
    public void Extend(long sentAt, DateTimeOffset wallAt)
    {
        var until = sentAt + _lease;
        if (_current is not { } current || current.Until < until)
        {
            _current = new Lease(until, sentAt, wallAt);
        }
    }

    /// <summary>Ends the current lease at once, also for checks that are under way.</summary>
    public void End() => _current = null;

    // A thread that was interrupted between the two readings sees a drift that is none: read again before it counts.
    private bool AgreeAfterAll(Lease current)
    {
        if (Agree(current, clock.GetUtcNow(), clock.GetTimestamp()))
        {
            return true;
        }

        // End this lease, but not a newer one.
        Interlocked.CompareExchange(ref _current, null, current);
        onSuspected();
        return false;
    }

    private bool Agree(Lease current, DateTimeOffset wall, long now) =>
        ((wall - current.WallAt) - clock.GetElapsedTime(current.SentAt, now)).Duration() <= MaxDrift;

    /// <summary>The lease of one renewal: its end, and both clocks at the moment of sending.</summary>
    private sealed record Lease(long Until, long SentAt, DateTimeOffset WallAt);
}
