using Grid.Storage;
using Orleans.Storage;

namespace Grid.Hosting.Serving;

/// <summary>Grain state under the store's guard: Orleans' provider opens connections of its own, and would write on into a file that was taken away.</summary>
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
