using Grid.Storage;
using Orleans.Storage;

namespace Grid.Hosting.Serving;

/// <summary>Puts grain state under the store's guard: Orleans' provider opens its own connections and would keep writing into a file that was removed.</summary>
internal sealed class GuardedGrainStorage(IGrainStorage storage, IStoreGuard guard) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        guard.Verify();
        await storage.ReadStateAsync(stateName, grainId, grainState);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        guard.Verify();
        await storage.WriteStateAsync(stateName, grainId, grainState);
        guard.Verify();
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        guard.Verify();
        await storage.ClearStateAsync(stateName, grainId, grainState);
        guard.Verify();
    }
}
