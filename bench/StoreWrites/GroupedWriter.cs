using Grid.Abstractions.Sessions;
using Grid.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.StoreWrites;

/// <summary>Grid's own store.</summary>
internal sealed class GroupedWriter : IWriter
{
    private readonly ServiceProvider _services;
    private readonly ISessionStore _store;

    public GroupedWriter(StoreOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddGridStorage(options);
        _services = services.BuildServiceProvider();
        _store = _services.GetRequiredService<ISessionStore>();
    }

    public string Name => "grouped commits (Grid)";

    public async Task CreateAsync(SessionRecord session) => Stored.OrThrow(await _store.InsertAsync(session, CancellationToken.None));

    public async Task RefreshAsync(SessionRecord session) => Stored.OrThrow(await _store.UpdateAsync(session, CancellationToken.None));

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
