using Grid.Abstractions;

namespace Grid.Storage;

/// <summary>For code that writes to the store on its own connections.</summary>
public interface IStoreGuard
{
    /// <summary>Call it before a read, and after a write before it is acknowledged.</summary>
    /// <exception cref="StoreUnavailableException">The store is no longer the one that this process opened: what was written is not durable, what would be read may be another's.</exception>
    void Verify();
}
