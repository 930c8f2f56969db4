using Grid.Abstractions;
using Orleans.Storage;

namespace Grid.Grains.Tests;

/// <summary>The grains' state with faults that a test asks for, grain by grain.</summary>
internal sealed class FaultyStateStorage(IGrainStorage inner, StateFaults faults) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var fault = faults.Take(stateName, grainId.Key.ToString()!);
        if (fault == StateFault.Lost)
        {
            throw new StoreUnavailableException("The state was not written (test).");
        }

        await inner.WriteStateAsync(stateName, grainId, grainState);
        if (fault == StateFault.AnswerLost)
        {
            throw new StoreUnavailableException("The answer was lost (test).");
        }
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ClearStateAsync(stateName, grainId, grainState);
}

/// <summary>What happens to a write of state.</summary>
internal enum StateFault
{
    None,
    Lost,
    AnswerLost,
}

/// <summary>Faults that wait for the writes they are meant for.</summary>
internal sealed class StateFaults
{
    private readonly Lock _lock = new();
    private readonly List<(string State, string Key, int After, StateFault Fault)> _waiting = [];

    /// <param name="state">Name of the state: app, tenant, keys, catalog.</param>
    /// <param name="key">Of the grain.</param>
    /// <param name="after">How many writes go well before.</param>
    /// <param name="fault">What happens.</param>
    public void Add(string state, string key, int after, StateFault fault)
    {
        lock (_lock)
        {
            _waiting.Add((state, key, after, fault));
        }
    }

    public StateFault Take(string state, string key)
    {
        lock (_lock)
        {
            var at = _waiting.FindIndex(fault => fault.State == state && fault.Key == key);
            if (at < 0)
            {
                return StateFault.None;
            }

            var found = _waiting[at];
            if (found.After > 0)
            {
                _waiting[at] = found with { After = found.After - 1 };
                return StateFault.None;
            }

            _waiting.RemoveAt(at);
            return found.Fault;
        }
    }
}
