using Grid.Abstractions.Clocks;

namespace Grid.Grains.Tests.Clocks;

public sealed class ClockBeforeCallsTests(GridCluster cluster)
{
    [Fact]
    public void A_silo_has_compared_its_clock_before_others_send_it_calls()
    {
        Assert.True(cluster.ClocksBeforeCalls.Count >= 3);
        Assert.DoesNotContain(cluster.ClocksBeforeCalls, verdict => verdict is ClockVerdict.Unwatched or ClockVerdict.Unknown);
    }
}
