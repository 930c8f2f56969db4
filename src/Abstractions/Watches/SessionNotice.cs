using Grid.Abstractions.Sessions;

namespace Grid.Abstractions.Watches;

/// <summary>What a notice says.</summary>
public enum SessionNoticeKind
{
    /// <summary>From a later version.</summary>
    Unknown = 0,

    /// <summary>From here on the watch is told everything.</summary>
    Started = 1,

    /// <summary>Something may have happened that was not told, and will not be.</summary>
    Missed = 2,

    /// <summary>A session was created.</summary>
    Created = 3,

    /// <summary>Its refresh token was exchanged.</summary>
    Refreshed = 4,

    /// <summary>Its payload or its data were replaced.</summary>
    Changed = 5,

    /// <summary>It was revoked.</summary>
    Revoked = 6,

    /// <summary>It expired.</summary>
    Expired = 7,
}

/// <summary>What happened to a session of a watched user. Holds neither tokens nor payload nor data.</summary>
[GenerateSerializer, Immutable, Alias("grid.session-notice")]
public sealed record SessionNotice
{
    [Id(0)] public required SessionNoticeKind Kind { get; init; }

    [Id(1)] public WatchedUser User { get; init; }

    /// <summary>Which session; none with <see cref="SessionNoticeKind.Started"/> and <see cref="SessionNoticeKind.Missed"/>.</summary>
    [Id(2)] public SessionHandle? Session { get; init; }

    /// <summary>When; of a revocation, when it was written to the log.</summary>
    [Id(3)] public required DateTimeOffset At { get; init; }

    /// <summary>When it expires now.</summary>
    [Id(4)] public DateTimeOffset ExpiresAt { get; init; }

    [Id(5)] public bool PayloadChanged { get; init; }

    [Id(6)] public bool DataChanged { get; init; }

    /// <summary>With <see cref="SessionNoticeKind.Revoked"/>.</summary>
    [Id(7)] public RevocationReason Reason { get; init; }
}
