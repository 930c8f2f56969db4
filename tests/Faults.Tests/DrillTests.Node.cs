using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>The second service is a Node process with <c>clients/node</c>: what holds for the others holds for it.</summary>
public sealed partial class DrillTests
{
    [Fact]
    public async Task A_Node_service_is_killed_then_stands_still_then_is_cut_off()
    {
        Assert.SkipWhen(NodeService.Missing is not null, NodeService.Missing ?? "");
        await using var cluster = await Cluster.StartAsync();
        await cluster.UseNodeAsync(1);
        await RunAsync(cluster, async load =>
        {
            await cluster.Services[1].KillAsync();
            await WaitUntilAsync(() => Task.FromResult(load.Receipts.Any(receipt => receipt.WaitedOut > 0)));
            await cluster.StartServiceAsync(1);
            await GreenAsync(load, SecondService);

            await StandStillAndBeCutOffAsync(cluster, load);

            // Its silo dies, and it comes back at another one.
            await cluster.Silos[2].KillAsync();
            cluster.Cables[1].Cut();
            cluster.Lead(1, 0);
            cluster.Cables[1].Mend();
            await load.AskForRevokedAsync(SecondService, 50);
            await GreenAsync(load, SecondService);
        }, ShortPatience);
    }
}
