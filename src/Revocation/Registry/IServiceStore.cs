namespace Grid.Revocation.Registry;

/// <summary>A service's row with the proof of ownership, without which no row can be renewed or removed.</summary>
/// <param name="Incarnation">Id of the row.</param>
/// <param name="App">Text form of the app whose key the service showed.</param>
/// <param name="SecretHash">Of the secret that it was handed when the row was made (<see cref="HolderSecret"/>).</param>
internal sealed record OwnRow(Guid Incarnation, string App, byte[] SecretHash);

/// <summary>A service that wants to be a holder.</summary>
/// <param name="Row">With <see cref="HolderRow.App"/>.</param>
/// <param name="SecretHash">Of the secret that it will be handed.</param>
/// <param name="Former">Its previous incarnation, already forgotten; its row is removed in the same transaction, if it is its own.</param>
/// <param name="MaxOfApp">How many services of the app the registry may hold, counting those that the reaper has not removed yet.</param>
internal sealed record ServiceRegistration(HolderRow Row, byte[] SecretHash, OwnRow? Former, int MaxOfApp);

/// <summary>Why a service was not registered; nothing was changed.</summary>
internal enum RegistrationRefusal
{
    /// <summary>The incarnation is taken.</summary>
    Taken,

    /// <summary>The app's limit is reached.</summary>
    TooManyOfApp,

    /// <summary>This process's limit of connections is reached.</summary>
    Full,
}

/// <summary>Either a registration or the reason for its refusal.</summary>
internal sealed record RegisteredService(RegisteredHolder? Holder, RegistrationRefusal? Refusal = null);

/// <summary>Port to the registry for services, which choose their ids themselves and are not trusted. Throws if the store does not answer.</summary>
internal interface IServiceStore
{
    /// <summary>Commits the row, unless its incarnation is taken or the app has too many, then reads the head of the log.</summary>
    Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken);

    /// <summary>Removes the service's row. It must have stopped accepting sessions.</summary>
    /// <returns>False, with nothing changed, if the row is not its own.</returns>
    Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken);
}
