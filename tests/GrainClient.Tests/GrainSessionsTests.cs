namespace Grid.GrainClient.Tests;

/// <summary>Over the silo's gateway.</summary>
public sealed class GrainSessionsTests(CoreHost core) : GridSessionsConformance(core)
{
    private Worker? _worker;

    public override async ValueTask InitializeAsync()
    {
        _worker = await Worker.StartAsync(Core);
        Sessions = _worker.Sessions;
    }

    public override ValueTask DisposeAsync() => _worker?.DisposeAsync() ?? ValueTask.CompletedTask;
}
