using System.Collections.Concurrent;

namespace Grid.Grains.Tests;

/// <summary>Counts calls that a grain has begun to work on: those that ran until they wait for something.</summary>
internal sealed class StartedCalls : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<(GrainId, string), int> _started = new();

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var work = context.Invoke();
        _started.AddOrUpdate((context.TargetId, context.MethodName), 1, (_, count) => count + 1);
        await work;
    }

    public async Task WaitForAsync(IAddressable grain, string method, int count)
    {
        while (_started.GetValueOrDefault((grain.GetGrainId(), method)) < count)
        {
            await Task.Yield();
        }
    }
}
