namespace Grid.Client;

/// <summary>What a <see cref="SessionEvent"/> tells. Numbers are on the wire.</summary>
public enum SessionEventKind
{
    /// <summary>From a later version of Grid: leave it out.</summary>
    Unknown = 0,

    /// <summary>
    /// The first event of every watch: from here on everything is told. List the user's sessions now, and what you know is complete.
    /// </summary>
    Watching = 1,

    /// <summary>
    /// Something may have happened that was not told, and will not be: a silo or a connection was lost, or the events were read too slowly.
    /// Whatever happens from here on is told again; list the user's sessions to catch up.
    /// </summary>
    MayHaveMissed = 2,

    /// <summary>A session was created.</summary>
    Created = 3,

    /// <summary>A session was refreshed: its refresh token was exchanged.</summary>
    Refreshed = 4,

    /// <summary>A session's payload, its data or both were replaced.</summary>
    Changed = 5,

    /// <summary>A session ended; <see cref="SessionEvent.EndReason"/> tells why.</summary>
    Ended = 6,
}

/// <summary>Why a session ended. Numbers are on the wire.</summary>
public enum SessionEndReason
{
    /// <summary>Not known, or from a later version of Grid.</summary>
    Unknown = 0,

    /// <summary>A back end or an operator revoked it, alone or with others of its user or tenant.</summary>
    Requested = 1,

    /// <summary>The user signed out.</summary>
    SignedOut = 2,

    /// <summary>Another session replaced it.</summary>
    Replaced = 3,

    /// <summary>A refresh token was reused, so it may have been stolen.</summary>
    RefreshTokenReuse = 4,

    /// <summary>It expired.</summary>
    Expired = 5,

    /// <summary>It was older than a session may become.</summary>
    LifetimeOver = 6,

    /// <summary>Its tenant or app was removed.</summary>
    Removed = 7,

    /// <summary>The store was restored from a backup.</summary>
    BackupRestored = 8,
}

/// <summary>Something that happened to a session of a watched user: <see cref="IGridSessions.WatchUserAsync"/>.</summary>
/// <remarks>It holds neither tokens nor payload nor data: <see cref="IGridSessions.FindAsync"/> reads those.</remarks>
public sealed record SessionEvent
{
    /// <summary>What happened.</summary>
    public required SessionEventKind Kind { get; init; }

    /// <summary>When it happened, by the clock of the silo that did it; of a revocation, when it was committed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Whose session.</summary>
    public required string UserId { get; init; }

    /// <summary>Which session; null with <see cref="SessionEventKind.Watching"/> and <see cref="SessionEventKind.MayHaveMissed"/>.</summary>
    public string? Handle { get; init; }

    /// <summary>The tenant it belongs to; null with <see cref="SessionEventKind.Watching"/> and <see cref="SessionEventKind.MayHaveMissed"/>.</summary>
    public string? TenantId { get; init; }

    /// <summary>
    /// When it expires unless it is refreshed before; with <see cref="SessionEventKind.Created"/>, <see cref="SessionEventKind.Refreshed"/>
    /// and <see cref="SessionEventKind.Changed"/>.
    /// </summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether the payload was replaced; with <see cref="SessionEventKind.Changed"/>.</summary>
    public bool PayloadChanged { get; init; }

    /// <summary>Whether the data that only back ends see was replaced; with <see cref="SessionEventKind.Changed"/>.</summary>
    public bool DataChanged { get; init; }

    /// <summary>Why it ended; with <see cref="SessionEventKind.Ended"/>.</summary>
    public SessionEndReason? EndReason { get; init; }
}
