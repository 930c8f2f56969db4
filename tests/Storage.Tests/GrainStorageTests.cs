using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Grid.Storage.Tests;

/// <summary>Orleans' own AdoNet provider over our scripts.</summary>
public sealed class GrainStorageTests(SharedPostgreSql shared)
{
    private const string Provider = "state";
    private static readonly GrainId Grain = GrainId.Create("test", "one");

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task First_writes_are_fenced_stale_ones_refused_and_cleared_ones_stay_fenced(StoreEngine engine)
    {
        var options = await TestStore.OptionsAsync(engine, shared);
        StoreMigrator.For(options).Apply();
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) => silo.AddAdoNetGrainStorage(Provider, o =>
            (o.Invariant, o.ConnectionString, o.DeleteStateOnClear) = (options.ProviderName, options.ProviderConnectionString, false)));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var storage = cluster.GetSiloServiceProvider(cluster.Silos[0].SiloAddress).GetRequiredKeyedService<IGrainStorage>(Provider);

        var writers = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => TryWriteAsync(storage, new GrainState<Counter> { State = new Counter { Value = i } }))));
        Assert.Equal(1, writers.Count(won => won));

        var current = await ReadAsync(storage);
        Assert.Equal(Array.IndexOf(writers, true), current.State!.Value);
        var stale = await ReadAsync(storage);
        current.State!.Value = 1000;
        await storage.WriteStateAsync("s", Grain, current);
        Assert.False(await TryWriteAsync(storage, stale));

        await storage.ClearStateAsync("s", Grain, current);
        Assert.False(await TryWriteAsync(storage, stale));
        Assert.False(await TryWriteAsync(storage, new GrainState<Counter> { State = new Counter() }));
    }

    private static async Task<GrainState<Counter>> ReadAsync(IGrainStorage storage)
    {
        var state = new GrainState<Counter> { State = new Counter() };
        await storage.ReadStateAsync("s", Grain, state);
        return state;
    }

    private static async Task<bool> TryWriteAsync(IGrainStorage storage, GrainState<Counter> state)
    {
        try
        {
            await storage.WriteStateAsync("s", Grain, state);
            return true;
        }
        catch (InconsistentStateException)
        {
            return false;
        }
    }

    [GenerateSerializer, Alias("grid.tests.counter")]
    public sealed class Counter
    {
        [Id(0)] public int Value { get; set; }
    }
}
