using Grid.Hosting.Joining;
using Grid.Revocation.Registry;

namespace Grid.Silo.Tests;

/// <summary>A silo that starts beside silos of other versions.</summary>
public sealed class ProtocolCheckTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HolderProtocol.Oldest - 1, "Upgrade that silo before, or stop it")]
    [InlineData(HolderProtocol.Newest + 1, "Start a later version of Grid here")]
    public async Task One_at_work_that_is_too_far_away_keeps_it_out_with_what_to_do(int protocol, string repair)
    {
        var registry = new Registry(Row(protocol, TimeSpan.FromMinutes(10)), renews: true);

        var refusal = await Assert.ThrowsAsync<ClusterStartException>(() => ProtocolCheck.RunAsync(registry, Stop));

        Assert.Contains($"version {protocol} of the revocation protocol", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(repair, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HolderProtocol.Oldest)]
    [InlineData(HolderProtocol.Newest)]
    public async Task A_neighbour_keeps_nobody_out(int protocol)
    {
        var registry = new Registry(Row(protocol, TimeSpan.FromMinutes(10)), renews: true);

        await ProtocolCheck.RunAsync(registry, Stop);

        Assert.Equal(1, registry.Asked);
    }

    [Fact]
    public async Task One_that_has_ended_keeps_nobody_out_once_its_lease_is_over()
    {
        var registry = new Registry(Row(HolderProtocol.Newest + 1, TimeSpan.FromMilliseconds(1)), renews: false);

        await ProtocolCheck.RunAsync(registry, Stop);
    }

    [Fact]
    public async Task Services_are_their_silos_business()
    {
        var registry = new Registry(Row(HolderProtocol.Newest + 1, TimeSpan.FromMinutes(10)) with { Kind = HolderKind.Service, App = "public" }, renews: true);

        await ProtocolCheck.RunAsync(registry, Stop);
    }

    private static HolderRow Row(int protocol, TimeSpan lease) => new()
    {
        Incarnation = Guid.NewGuid(),
        Kind = HolderKind.Silo,
        Name = "other",
        Address = "192.0.2.1:11111@1",
        Lease = lease,
        Protocol = protocol,
    };

    private sealed class Registry(HolderRow row, bool renews) : IHolderRegistry
    {
        public int Asked { get; private set; }

        public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<HolderRow>>([row with { Counter = ++Asked * (renews ? 1 : 0) }]);

        public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
