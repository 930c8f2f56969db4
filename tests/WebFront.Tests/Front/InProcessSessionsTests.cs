using Grid.WebFront.Front;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Tests.Front;

/// <summary>In the silo's process.</summary>
public sealed class InProcessSessionsTests(CoreHost core) : GridSessionsConformance(core)
{
    public override ValueTask InitializeAsync()
    {
        Sessions = Core.Services.GetRequiredService<InProcessSessions>();
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
