using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Relay;

/// <summary>A holder that reaches the store through this process. What it is given arrives in order, or else its connection ends and with it its incarnation.</summary>
internal interface IRelayedHolder
{
    /// <summary>Its row, with the proof of ownership.</summary>
    OwnRow Row { get; }

    /// <summary>Its id.</summary>
    Guid Incarnation => Row.Incarnation;

    /// <summary>
    /// Number of its last renewal request that is unanswered (it noted its own time before sending it), or 0. With 0 its counter must
    /// stand still, or else a service that hangs would never be removed.
    /// </summary>
    long Requested { get; }

    /// <summary>Hands entries over; completes when it has confirmed them (h3).</summary>
    Task DeliverAsync(IReadOnlyList<RevocationEntry> entries);

    /// <summary>Answers request <paramref name="request"/>: a renewal that began after it had arrived was committed, and all that it read has been handed over.</summary>
    void AnswerRenewal(long request);

    /// <summary>Its incarnation is over; its renewals no longer count.</summary>
    void DeclareLost(HolderLoss why);
}

/// <summary>Why an incarnation is over.</summary>
internal enum HolderLoss
{
    /// <summary>Its row is gone.</summary>
    NotRegistered,

    /// <summary>It may have missed entries.</summary>
    MissedEntries,

    /// <summary>It does not confirm revocations.</summary>
    Silent,
}
