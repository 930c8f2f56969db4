namespace Grid.Revocation.Holders;

/// <summary>A session that this holder vouches for while it is fresh.</summary>
internal sealed class KnownSession
{
    // Checked since the last round of evictions.
    internal bool Used;

    private volatile bool _over;

    internal KnownSession(FoundSession found, long readAt) => (Found, ReadAt) = (found, readAt);

    /// <summary>The session as it was read.</summary>
    public FoundSession Found { get; }

    /// <summary>When the reading began; <see cref="long.MinValue"/> once the session is known to have changed since.</summary>
    internal long ReadAt { get; set; }

    internal bool IsOver => _over;

    internal void End() => _over = true;
}
