namespace Grid.Revocation.Registry;

/// <summary>A service's own row, and the proof that it is: without the secret nobody names a row.</summary>
/// <param name="Incarnation">Which.</param>
/// <param name="App">Text form of the app whose key the service showed.</param>
/// <param name="SecretHash">Of the secret that it was handed when the row was made (<see cref="HolderSecret"/>).</param>
internal sealed record OwnRow(Guid Incarnation, string App, byte[] SecretHash);

/// <summary>A service that wants to be a holder.</summary>
/// <param name="Row">With <see cref="HolderRow.App"/>.</param>
/// <param name="SecretHash">Of the secret that it will be handed.</param>
/// <param name="Former">What it was before, and has forgotten; leaves the registry in the same transaction, if it is its own.</param>
/// <param name="MaxOfApp">How many services of the app may be in the registry, those included that wait for the reaper.</param>
internal sealed record ServiceRegistration(HolderRow Row, byte[] SecretHash, OwnRow? Former, int MaxOfApp);

/// <summary>Why a service was not registered. Nothing was changed then.</summary>
internal enum RegistrationRefusal
{
    /// <summary>There is a row of that incarnation, whosoever.</summary>
    Taken,

    /// <summary>The app has as many services in the registry as it may have.</summary>
    TooManyOfApp,

    /// <summary>This process lets no more connect.</summary>
    Full,
}

/// <summary>The outcome: one of both.</summary>
internal sealed record RegisteredService(RegisteredHolder? Holder, RegistrationRefusal? Refusal = null);

/// <summary>Port to the registry for rows of services, which are strangers: their ids are of their own choice. Throws if the store does not answer.</summary>
internal interface IServiceStore
{
    /// <summary>Commits the row, unless there is one of that incarnation or the app has too many, then reads the head of the log.</summary>
    Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken);

    /// <summary>The service accepts nothing any more and takes its row with it.</summary>
    /// <returns>False if that was not its row; nothing changed then.</returns>
    Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken);
}
