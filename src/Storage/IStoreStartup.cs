namespace Grid.Storage;

/// <summary>What the store is; for start-up lines.</summary>
/// <param name="Engine">Engine and version.</param>
/// <param name="Place">Host and database, or file. No password.</param>
/// <param name="Warnings">What an operator should know.</param>
public sealed record StoreFacts(string Engine, string Place, IReadOnlyList<string> Warnings);

/// <summary>Checks the store before anything relies on it.</summary>
public interface IStoreStartup
{
    /// <summary>Makes sure that no other process uses a store that only one may own. Comes before migrations.</summary>
    /// <exception cref="StoreStartException">Another process does.</exception>
    void TakeOwnership();

    /// <exception cref="StoreStartException">It may lose acknowledged writes, is in use, or cannot be reached.</exception>
    Task<StoreFacts> CheckAsync(CancellationToken cancellationToken);
}
