namespace Grid.GrainDoors.Tunnels;

/// <summary>Lets a service that checks tokens be a holder: a connection to one silo, over which it speaks what it would over a WebSocket (docs/protocol.md).</summary>
/// <remarks>
/// A connection has its end where it was opened. Calls about it that reach another silo, or come twice or out of order, end it: then the service
/// opens another one and starts anew, as after any break.
/// </remarks>
[Alias("grid.door.holders")]
internal interface IHolderDoor : IGrainDoor
{
    /// <summary>Opens a connection.</summary>
    /// <returns>Its id, which nobody else knows.</returns>
    [Alias("open")]
    Task<DoorAnswer<string>> OpenAsync();

    /// <summary>Takes a message from the service; answered when the silo has room for the next.</summary>
    /// <param name="connection">Its id.</param>
    /// <param name="number">From 1 on, one more each time.</param>
    /// <param name="message">At most 16 KiB.</param>
    [Alias("send")]
    Task<DoorAnswer<bool>> SendAsync(string connection, long number, byte[] message);

    /// <summary>Hands messages to the service: at once if there are any, else after a second.</summary>
    /// <param name="connection">Its id.</param>
    /// <param name="number">From 1 on, one more each time.</param>
    [Alias("receive")]
    Task<DoorAnswer<ReceivedMessages>> ReceiveAsync(string connection, long number);

    /// <summary>The service will send no more.</summary>
    /// <param name="connection">Its id.</param>
    [Alias("close")]
    Task<DoorAnswer<bool>> CloseAsync(string connection);
}

/// <summary>What came for a service.</summary>
[GenerateSerializer, Immutable, Alias("grid.door.received-messages")]
internal sealed record ReceivedMessages
{
    /// <summary>In their order; perhaps none.</summary>
    [Id(0)] public required byte[][] Messages { get; init; }

    /// <summary>Nothing more will come.</summary>
    [Id(1)] public bool IsClosed { get; init; }

    /// <summary>Why it was closed, if the silo said so.</summary>
    [Id(2)] public string? Why { get; init; }
}
