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

/// <summary>A first-sight check under way (h4).</summary>
internal sealed class LookTicket
{
    internal LookTicket(HolderState state, long startedAt, long applied) => (State, StartedAt, Applied) = (state, startedAt, applied);

    internal HolderState State { get; }

    internal long StartedAt { get; }

    /// <summary>How many entries had been applied when it began.</summary>
    internal long Applied { get; }

    /// <summary>The session changed meanwhile: what was read of it may be outdated.</summary>
    internal bool Changed { get; set; }
}

/// <summary>What a first-sight check came to.</summary>
internal enum LookOutcome
{
    /// <summary>The holder vouches for it now.</summary>
    Known,

    /// <summary>There is no such session.</summary>
    NotThere,

    /// <summary>Something that might concern it was revoked meanwhile, or the holder started anew: look again.</summary>
    Void,
}

/// <summary>What a check came to (h5).</summary>
internal enum HolderVerdict
{
    /// <summary>The session lives.</summary>
    Known,

    /// <summary>Not seen yet, or over: the store has to say.</summary>
    Unknown,

    /// <summary>The holder has not heard from the store for too long to say anything.</summary>
    NotFresh,
}
