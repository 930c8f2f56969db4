using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Relay;

/// <summary>A holder that reaches the store through this one. What it is handed arrives in this order, or its connection ends and with it its incarnation.</summary>
internal interface IRelayedHolder
{
    /// <summary>Its row, and the proof that it is its own.</summary>
    OwnRow Row { get; }

    /// <summary>Its id.</summary>
    Guid Incarnation => Row.Incarnation;

    /// <summary>
    /// Number of the last renewal that it asked for and that was not answered; it noted its own time before it asked. 0: none, so its
    /// counter must stand still, or a service that hangs would never be forgotten.
    /// </summary>
    long Requested { get; }

    /// <summary>Hands entries over; done when it has confirmed them (h3).</summary>
    Task DeliverAsync(IReadOnlyList<RevocationEntry> entries);

    /// <summary>Everything that a renewal read has been handed over, and that renewal began after request <paramref name="request"/> had come.</summary>
    void AnswerRenewal(long request);

    /// <summary>Its incarnation is over, and its renewals do not count any more.</summary>
    void DeclareLost(HolderLoss why);
}

/// <summary>Why an incarnation is over.</summary>
internal enum HolderLoss
{
    /// <summary>Its row is gone.</summary>
    NotRegistered,

    /// <summary>Entries may have passed it by.</summary>
    MissedEntries,

    /// <summary>It does not confirm what it is told.</summary>
    Silent,
}
