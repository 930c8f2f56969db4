using Grid.Client;

namespace Grid.GrainDoors;

/// <summary>Watches of users of the caller's app.</summary>
/// <remarks>
/// A watch has its end in the silo where it was opened. Calls about it that reach another silo, or come twice or out of order, end it: then the
/// client opens another one, and says that it may have missed something.
/// </remarks>
[Alias("grid.door.watches")]
internal interface IWatchDoor : IGrainDoor
{
    /// <summary>Begins a watch.</summary>
    /// <param name="userId">Whose sessions.</param>
    /// <param name="tenantId">In which tenant; null: in all.</param>
    /// <returns>Its id, which nobody else knows.</returns>
    [Alias("open")]
    Task<DoorAnswer<string>> OpenAsync(string userId, string? tenantId);

    /// <summary>Hands events to the client: at once if there are any, else after some seconds.</summary>
    /// <param name="watch">Its id.</param>
    /// <param name="number">From 1 on, one more each time.</param>
    /// <param name="within">How long to wait, five seconds at most.</param>
    [Alias("fetch")]
    Task<DoorAnswer<FetchedEvents>> FetchAsync(string watch, long number, TimeSpan within);

    /// <summary>Ends a watch.</summary>
    [Alias("close")]
    Task<DoorAnswer<bool>> CloseAsync(string watch);
}

/// <summary>What came for a watch.</summary>
[GenerateSerializer, Immutable, Alias("grid.door.fetched-events")]
internal sealed record FetchedEvents
{
    /// <summary>In their order; perhaps none.</summary>
    [Id(0)] public required SessionEvent[] Events { get; init; }

    /// <summary>The watch is over, or has its end in another silo: open another one.</summary>
    [Id(1)] public bool IsOver { get; init; }
}
