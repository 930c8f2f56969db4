using Grid.HostKit;
using Microsoft.Extensions.Time.Testing;

namespace Grid.Testing.Tests;

/// <summary>In memory they do what a Grid does.</summary>
public sealed class InMemorySessionsTests() : GridSessionsConformance(core: null)
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    private GridTestSessions Memory => (GridTestSessions)Sessions;

    public override ValueTask InitializeAsync()
    {
        Sessions = new GridTestSessions(_clock);
        return ValueTask.CompletedTask;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override void Skip(TimeSpan time) => _clock.Advance(time);

    protected override void SetAway(bool isAway) => Memory.IsAway = isAway;

    protected override Task CreateTenantAsync(string tenantId)
    {
        Memory.AddTenant(tenantId);
        return Task.CompletedTask;
    }
}
