using Grid.Revocation.Log;

namespace Grid.Revocation.Relay;

/// <summary>A holder that reaches the store through this one. What it is handed arrives in this order, or its connection ends and with it its incarnation.</summary>
public interface IRelayedHolder
{
    /// <summary>Its id.</summary>
    Guid Incarnation { get; }

    /// <summary>
    /// Number of the last renewal that it asked for and that was not answered; it noted its own time before it asked. 0: none, so its
    /// counter must stand still, or a service that hangs would never be forgotten.
    /// </summary>
    long Requested { get; }

    /// <summary>Hands entries over; done when it has confirmed them (h3).</summary>
    Task DeliverAsync(IReadOnlyList<RevocationEntry> entries);

    /// <summary>Everything that a renewal read has been handed over, and that renewal began after request <paramref name="request"/> had come.</summary>
    void Renewed(long request);

    /// <summary>It is not registered any more, or has missed something: its incarnation is over.</summary>
    void Lost();
}
