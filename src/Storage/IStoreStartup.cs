namespace Grid.Storage;

/// <summary>Describes the store, for start-up messages.</summary>
/// <param name="Engine">Engine and version.</param>
/// <param name="Place">Host and database, or file. No password.</param>
/// <param name="Warnings">Sentences for the operator.</param>
/// <param name="Room">For connections; null if there is no server, or a pooler before it, whose connections are fewer than its clients'.</param>
public sealed record StoreFacts(string Engine, string Place, IReadOnlyList<string> Warnings, StoreRoom? Room);

/// <summary>How many connections a server has for everybody who uses it as this silo does.</summary>
/// <param name="Connections">At once.</param>
/// <param name="Limit">What says so, with the repair's place: a setting of the server, a role or a database.</param>
public sealed record StoreRoom(int Connections, string Limit);

/// <summary>Checks the store before anything relies on it.</summary>
public interface IStoreStartup
{
    /// <summary>Makes sure that no other process uses a store that only one may own. Called before migrations.</summary>
    /// <exception cref="StoreStartException">Another process does.</exception>
    void TakeOwnership();

    /// <exception cref="StoreStartException">It may lose acknowledged writes, is in use, or cannot be reached.</exception>
    Task<StoreFacts> CheckAsync(CancellationToken cancellationToken);
}
