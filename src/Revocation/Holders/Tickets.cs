namespace Grid.Revocation.Holders;

/// <summary>A renewal under way (h2).</summary>
internal sealed class RenewalTicket
{
    internal RenewalTicket(HolderState state, long sentAt, DateTimeOffset wallAt) => (State, SentAt, WallAt) = (state, sentAt, wallAt);

    internal HolderState State { get; }

    /// <summary>The lease counts from here: before the request left, never from the answer.</summary>
    internal long SentAt { get; }

    internal DateTimeOffset WallAt { get; }
}

/// <summary>A look into the store under way (h4).</summary>
internal sealed class LookTicket
{
    internal LookTicket(HolderState state, long startedAt, long applied) => (State, StartedAt, Applied) = (state, startedAt, applied);

    internal HolderState State { get; }

    internal long StartedAt { get; }

    /// <summary>How many entries had been applied when it began.</summary>
    internal long Applied { get; }

    /// <summary>The session has changed since: its details may be outdated.</summary>
    internal bool Changed { get; set; }
}

/// <summary>Result of a look.</summary>
internal enum LookOutcome
{
    /// <summary>The holder vouches for it now.</summary>
    Known,

    /// <summary>There is no such session.</summary>
    NotThere,

    /// <summary>Something that may concern it was revoked in the meantime, or the holder started over: look again.</summary>
    Void,
}

/// <summary>Result of a check (h5).</summary>
internal enum HolderVerdict
{
    /// <summary>The session is active.</summary>
    Known,

    /// <summary>Not seen yet, or ended: ask the store.</summary>
    Unknown,

    /// <summary>The holder has not heard from the store for too long to tell.</summary>
    NotFresh,
}
