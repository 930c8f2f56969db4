using Grid.Abstractions.Installation;
using Orleans.Storage;

namespace Grid.Hosting.Serving;

/// <summary>Grain storage in which every key has a row of its own (<see cref="ExactKey"/>).</summary>
internal sealed class ExactKeyStorage(IGrainStorage rows) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => rows.ReadStateAsync(stateName, Exact(grainId), grainState);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => rows.WriteStateAsync(stateName, Exact(grainId), grainState);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => rows.ClearStateAsync(stateName, Exact(grainId), grainState);

    private static GrainId Exact(GrainId id) => GrainId.Create(id.Type, IdSpan.Create(ExactKey.ToStored(id.Key.ToString()!)));
}
