[assembly: AssemblyFixture(typeof(Grid.Testing.Tests.SharedHost))]

namespace Grid.Testing.Tests;

/// <summary>One Grid for the tests that need no more.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    public GridTestHost Grid { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Grid = await GridTestHost.StartAsync();

    public ValueTask DisposeAsync() => Grid.DisposeAsync();
}
