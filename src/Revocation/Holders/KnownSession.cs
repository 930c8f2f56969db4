namespace Grid.Revocation.Holders;

/// <summary>A session that this holder vouches for while it is fresh.</summary>
/// <remarks>
/// A holder may remember a million of them, so everything is in this one object, and what sessions share is shared: the names of app and
/// tenant, and the user's id (docs/decisions/0027). What does not change is read without a lock. Of what does,
/// <see cref="Used"/> may be lost, <see cref="ReadAt"/> is one word that only ever makes details outdated, <see cref="IsOver"/> only turns
/// true, and the links are read and written under the holder's lock. What is read again becomes another object.
/// </remarks>
internal sealed class KnownSession
{
    // Checked since the last round of evictions.
    internal bool Used;

    private readonly long _expiresAt;
    private long _readAt;
    private volatile bool _over;

    /// <param name="found">As the store said.</param>
    /// <param name="name">Its name, with the holder's own strings.</param>
    /// <param name="userId">The user's id, likewise.</param>
    /// <param name="readAt">When the reading began.</param>
    internal KnownSession(FoundSession found, SessionName name, string userId, long readAt)
    {
        (Name, UserId, Epoch, Details) = (name, userId, found.Epoch, found.Details);
        (_expiresAt, _readAt) = (found.ExpiresAt.UtcTicks, readAt);
    }

    /// <summary>The session's full name.</summary>
    public SessionName Name { get; }

    /// <summary>Whose it is.</summary>
    public string UserId { get; }

    /// <summary>The user's epoch when it was created.</summary>
    public long Epoch { get; }

    /// <summary><see cref="FoundSession.Details"/>, as they were read.</summary>
    public object? Details { get; }

    /// <summary>When the reading began; <see cref="long.MinValue"/> once the session is known to have changed since.</summary>
    internal long ReadAt
    {
        get => Volatile.Read(ref _readAt);
        set => Volatile.Write(ref _readAt, value);
    }

    internal bool IsOver => _over;

    /// <summary>Links of <see cref="SessionTable"/>: what is evicted before, and after it.</summary>
    internal KnownSession? Older { get; set; }

    /// <summary>Null for the newest.</summary>
    internal KnownSession? Newer { get; set; }

    /// <summary>The user's other sessions: a list without an owner, begun by the session that <see cref="KnownUsers"/> finds.</summary>
    internal KnownSession? NextOfUser { get; set; }

    /// <summary>Null for the first.</summary>
    internal KnownSession? PreviousOfUser { get; set; }

    internal bool HasExpiredBy(DateTimeOffset wall) => _expiresAt <= wall.UtcTicks;

    internal void End() => _over = true;
}
