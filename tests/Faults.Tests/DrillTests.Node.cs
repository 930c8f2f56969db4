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

            // For longer than its lease; what it is asked meanwhile lies in its socket when it wakes up.
            cluster.Services[1].Signal("STOP");
            await Task.Delay(Cluster.LongerThanWait, Stop);
            var asked = load.AskForRevokedAsync(SecondService, 50);
            cluster.Services[1].Signal("CONT");
            await load.AskForRevokedAsync(SecondService, 50);
            await asked;
            await GreenAsync(load, SecondService);

            // Packets go nowhere; nobody is told.
            cluster.Cables[1].Put(Between.Silence);
            for (var i = 0; i < 14; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.5), Stop);
                await load.AskForRevokedAsync(SecondService, 20);
            }

            cluster.Cables[1].Mend();
            await GreenAsync(load, SecondService);

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
