using Grid.Abstractions;
using Orleans.Storage;

namespace Grid.Grains;

internal static class PersistentStateExtensions
{
    /// <summary>Writes the new state, or restores what the store holds: a failed write has an unknown outcome.</summary>
    /// <exception cref="StoreUnavailableException">Not written, or unknown; the state in memory is the store's, or the grain is about to go.</exception>
    public static async Task CommitAsync<T>(this IPersistentState<T> storage, T next, IGrainBase grain)
    {
        storage.State = next;
        try
        {
            await storage.WriteStateAsync();
        }
        catch (Exception failure)
        {
            // Two activations for a moment, or an unavailable store: this activation must not trust its state in memory.
            try
            {
                await storage.ReadStateAsync();
            }
            catch (Exception)
            {
                grain.DeactivateOnIdle();
            }

            throw new StoreUnavailableException(
                failure is InconsistentStateException
                    ? "The state was changed elsewhere at the same time; try again."
                    : "The state could not be written.",
                failure);
        }
    }
}
