namespace Grid.Abstractions.Installation;

/// <summary>What the store remembers of the installation that it belongs to; one row, written by the first start.</summary>
public sealed record InstallationRecord
{
    /// <summary>Silos with another <c>Grid:Cluster:Id</c> are another cluster, and two clusters over one database would wait for each other.</summary>
    public required string ClusterId { get; init; }

    /// <summary>A box that only the installation's key-encryption key opens; made by <c>Grid.Tokens.SigningKeys.KeyProtector</c>.</summary>
    public required byte[] Canary { get; init; }
}

/// <summary>An app's keys, or other state of it, as stored: for changing or counting it from outside the grain.</summary>
/// <param name="App">Text of the app's key.</param>
/// <param name="Payload">The grain's state, serialized.</param>
/// <param name="Version">Of the row.</param>
public sealed record StoredKeysRow(string App, byte[] Payload, int Version);

/// <summary>A silo, and the ids of the key-encryption keys that it holds.</summary>
/// <param name="Address">As the registry of holders has it.</param>
/// <param name="KeyIds">Comma-separated.</param>
public sealed record SiloKeys(string Address, string KeyIds);

/// <summary>The installation's own row, and what belongs to changing its key.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> if the store does not answer.</remarks>
public interface IInstallationStore
{
    /// <summary>Null before the first start.</summary>
    Task<InstallationRecord?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes the row if there is none: of several first starts one wins. Read it afterwards.</summary>
    Task CreateAsync(InstallationRecord record, CancellationToken cancellationToken);

    /// <returns>False if the row has another canary by now.</returns>
    Task<bool> ReplaceCanaryAsync(byte[] former, byte[] canary, CancellationToken cancellationToken);

    /// <summary>Gives the cluster another id.</summary>
    Task RenameClusterAsync(string clusterId, CancellationToken cancellationToken);

    /// <summary>Every app's keys.</summary>
    Task<IReadOnlyList<StoredKeysRow>> ReadKeysAsync(CancellationToken cancellationToken);

    /// <summary>Every app's own state, as rows of the same form.</summary>
    Task<IReadOnlyList<StoredKeysRow>> ReadAppsAsync(CancellationToken cancellationToken);

    /// <summary>Replaces one app's keys if their row still has this version.</summary>
    /// <returns>False if it has another.</returns>
    Task<bool> ReplaceKeysAsync(StoredKeysRow row, byte[] payload, CancellationToken cancellationToken);

    /// <summary>Notes which keys a silo holds; null takes the note back.</summary>
    Task AnnounceAsync(string address, string? keyIds, CancellationToken cancellationToken);

    /// <summary>What silos have announced. It still lists silos that died: which are running is in the registry of holders.</summary>
    Task<IReadOnlyList<SiloKeys>> ReadAnnouncedAsync(CancellationToken cancellationToken);
}
