using Microsoft.Extensions.DependencyInjection;

namespace Grid.Client.Tests;

/// <summary>Over the core API.</summary>
public sealed class CoreApiSessionsTests(CoreHost core) : GridSessionsConformance(core)
{
    private ClientApp? _app;

    protected override bool WatchesUsers => false;

    public override async ValueTask InitializeAsync()
    {
        _app = await ClientApp.StartAsync(Core);
        Sessions = _app.Services.GetRequiredService<IGridSessions>();
    }

    public override ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;
}
