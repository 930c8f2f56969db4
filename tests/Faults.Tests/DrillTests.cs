using Grid.TestKit.History;

namespace Grid.Faults.Tests;

/// <summary>Three silos under a mixed load while something breaks: nothing is accepted after its revocation was acknowledged, and nobody is signed out.</summary>
public sealed class DrillTests(ITestOutputHelper output)
{
    private const int LeastRevocations = 20;

    // Or all workers soon wait for the one that does not answer, and nothing is revoked meanwhile.
    private static TimeSpan ShortPatience { get; } = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Healthy()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, () => Task.Delay(TimeSpan.FromSeconds(12), Stop));

        Assert.Equal(0, load.Requests.Unavailable);
        Assert.All(load.Receipts.Skip(LeastRevocations), receipt => Assert.Equal(new RevokeReceipt(3, 0), receipt));
    }

    [Fact]
    public async Task A_silo_is_killed_and_comes_back()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(3), Stop);
            await cluster.Silos[2].KillAsync();
            await Task.Delay(Cluster.LongerThanWait, Stop);
            await cluster.StartSiloAsync(2);
            await Task.Delay(TimeSpan.FromSeconds(5), Stop);
        });

        // Somebody was waited for, and afterwards nobody.
        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);
        Assert.Equal(0, load.Receipts[^1].WaitedOut);
    }

    [Fact]
    public async Task A_silo_stands_still_for_longer_than_its_lease()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, async load =>
        {
            await Task.Delay(TimeSpan.FromSeconds(4), Stop);
            cluster.Silos[2].Signal("STOP");
            await Task.Delay(Cluster.LongerThanWait, Stop);

            // They lie in its socket when it wakes up.
            var asked = load.AskForRevokedAsync(2, 50);
            cluster.Silos[2].Signal("CONT");
            await load.AskForRevokedAsync(2, 50);
            await asked;
            await Task.Delay(TimeSpan.FromSeconds(4), Stop);
        }, ShortPatience);

        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);
    }

    [Fact]
    public async Task The_store_is_killed_and_comes_back()
    {
        await using var cluster = await Cluster.StartAsync();
        await RunAsync(cluster, async load =>
        {
            await Task.Delay(TimeSpan.FromSeconds(4), Stop);
            await load.AskForLivingAsync(0, 20);
            await cluster.PostgreSql.CrashAsync();

            // From memory, inside the lease. On a machine that stands still for so long the lease may be over already.
            var within = await load.AskForLivingAsync(0, 20);
            Assert.True(within.Accepted > 0 || within.Unavailable > 0);
            Assert.Equal(0, within.Refused);
            await Task.Delay(Cluster.LongerThanWait, Stop);

            // The lease is over: nobody can say, nobody is signed out.
            Assert.Equal(0, (await load.AskForLivingAsync(0, 20)).Accepted);
            Assert.Equal(0, (await load.AskForLivingAsync(0, 20)).Refused);
            Assert.Equal(503, (int)(await cluster.Silos[0].Http.GetAsync("/health/ready", Stop)).StatusCode);
            await cluster.PostgreSql.RestartAsync();
            await WaitUntilAsync(async () => (await load.AskForLivingAsync(0, 20)) is { Accepted: > 0, Unavailable: 0 });
            await WaitUntilAsync(async () => (await cluster.Silos[0].Http.GetAsync("/health/ready", Stop)).IsSuccessStatusCode);
            await Task.Delay(TimeSpan.FromSeconds(3), Stop);
        });
    }

    [Fact]
    public async Task A_silo_is_cut_off_from_the_store_and_the_others_but_not_from_its_callers()
    {
        using var network = NetworkNamespace.Create();
        await using var cluster = await Cluster.StartAsync(network);
        var load = await RunAsync(cluster, async load =>
        {
            await Task.Delay(TimeSpan.FromSeconds(4), Stop);
            network.Cut();
            for (var i = 0; i < 14; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.5), Stop);
                await load.AskForRevokedAsync(2, 20);
            }

            network.Mend();
            for (var i = 0; i < 10; i++)
            {
                await load.AskForRevokedAsync(2, 20);
                await Task.Delay(TimeSpan.FromSeconds(0.3), Stop);
            }
        }, ShortPatience);

        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 600, "It does not come back.");
            await Task.Delay(200, Stop);
        }
    }

    private Task<MixedLoad> RunAsync(Cluster cluster, Func<Task> drill) => RunAsync(cluster, _ => drill());

    private async Task<MixedLoad> RunAsync(Cluster cluster, Func<MixedLoad, Task> drill, TimeSpan? patience = null)
    {
        var load = new MixedLoad(cluster);
        using var stop = new CancellationTokenSource();
        var running = load.RunAsync(stop.Token);
        try
        {
            // Silos that have just started are slow, on a busy machine for long: what breaks shall break at work.
            await WaitUntilAsync(() => Task.FromResult(load.Receipts.Count >= LeastRevocations));
            load.Patience = patience ?? load.Patience;
            await drill(load);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }

        // Long after the end, on every silo that is there: nothing has come back to life.
        for (var silo = 0; silo < 3; silo++)
        {
            await load.AskForRevokedAsync(silo, 200);
        }

        var history = load.History;
        output.WriteLine(
            $"{load.Requests.Answered} answered, {load.Requests.Unavailable} not; {history.Made.Count} sessions, {history.Verifications.Count} verifications, {load.Receipts.Count} receipts, {load.Receipts.Count(r => r.WaitedOut > 0)} of them waited out");
        Assert.Empty(HistoryChecker.Check(history));

        // The same history with one accept too many: the checker reads these names as they were written.
        var (ofOne, ofUser) = (history.Revocations.Last(call => call is { Session: not null, Acknowledged: not null }), history.Revocations.Last(call => call is { UserId: not null, Acknowledged: not null }));
        var ended = history.Made.FirstOrDefault(made => made.UserId == ofUser.UserId && made.Acknowledged < ofUser.Started);
        foreach (var (session, at) in new[] { (ofOne.Session, ofOne.Acknowledged), (ended?.Session, ofUser.Acknowledged) }.Where(forged => forged.Item1 is not null))
        {
            history.Add(new Verification { Session = session!, Verifier = "forged", Result = VerificationResult.Accepted, Started = at!.Value + TimeSpan.FromTicks(1), Ended = at.Value + TimeSpan.FromMilliseconds(1) });
            Assert.Contains(HistoryChecker.Check(history), violation => violation.Kind == ViolationKind.AcceptedAfterAcknowledgement && violation.Verification.Session == session);
        }

        // A history in which nothing happens proves nothing.
        Assert.True(load.Receipts.Count >= LeastRevocations);
        Assert.Contains(history.Verifications, verification => verification.Result == VerificationResult.Refused);
        return load;
    }
}
