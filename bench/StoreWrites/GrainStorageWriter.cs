using Grid.Abstractions.Sessions;
using Grid.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Grid.StoreWrites;

/// <summary>Orleans' AdoNet grain storage, called as a grain's <c>WriteStateAsync</c> calls it, without the grain.</summary>
internal sealed class GrainStorageWriter : IWriter
{
    private const string Provider = "sessions";

    private readonly InProcessTestCluster _cluster;
    private readonly IGrainStorage _storage;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, GrainState<StoredSession>> _states = [];

    private GrainStorageWriter(InProcessTestCluster cluster)
    {
        _cluster = cluster;
        _storage = cluster.GetSiloServiceProvider(cluster.Silos[0].SiloAddress).GetRequiredKeyedService<IGrainStorage>(Provider);
    }

    public string Name => "Orleans AdoNet grain storage";

    public static async Task<GrainStorageWriter> StartAsync(StoreOptions options)
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) => silo.AddAdoNetGrainStorage(Provider, o =>
            (o.Invariant, o.ConnectionString, o.DeleteStateOnClear) = (options.ProviderName, options.ProviderConnectionString, false)));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new GrainStorageWriter(cluster);
    }

    public Task CreateAsync(SessionRecord session)
    {
        // A grain reads before its first write. That read is left out, in this variant's favour.
        var state = new GrainState<StoredSession> { State = StoredSession.From(session) };
        _states[session.Key.Handle.Id] = state;
        return _storage.WriteStateAsync("session", Id(session), state);
    }

    public Task RefreshAsync(SessionRecord session)
    {
        var state = _states[session.Key.Handle.Id];
        state.State = StoredSession.From(session);
        return _storage.WriteStateAsync("session", Id(session), state);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static GrainId Id(SessionRecord session) => GrainId.Create("session", session.Key.ToString());
}
