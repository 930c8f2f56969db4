using Grid.TestKit;
using Grid.TestKit.History;

namespace Grid.Faults.Tests;

/// <summary>
/// Three silos and three services, one of them an Orleans client, under a mixed load while something breaks: nothing is accepted after its revocation was acknowledged,
/// nobody is signed out, and no refresh that was answered is lost.
/// </summary>
public sealed partial class DrillTests(ITestOutputHelper output)
{
    // Behind the silos.
    private const int FirstService = 3;
    private const int SecondService = 4;
    private const int GrainService = 5;

    // A machine that does ten things at once is slow; what it takes in truth is written into the test's output.
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(60);

    // Or all workers soon wait for the one that does not answer, and nothing is revoked meanwhile.
    private static TimeSpan ShortPatience { get; } = TimeSpan.FromMilliseconds(500);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Healthy()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, () => Task.Delay(TimeSpan.FromSeconds(12), Stop));

        Assert.Equal(0, load.Requests.Unavailable);
        Assert.All(load.Receipts.Skip(load.ReceiptsAtWork), receipt => Assert.Equal(new RevokeReceipt(6, 0), receipt));
    }

    [Fact]
    public async Task A_silo_is_killed_and_comes_back()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, async load =>
        {
            await Task.Delay(TimeSpan.FromSeconds(3), Stop);
            await cluster.Silos[2].KillAsync();

            // Its services come back at another one.
            cluster.Cables[1].Cut();
            cluster.Lead(1, 0);
            cluster.Cables[1].Mend();
            await GreenAsync(load, SecondService);
            await GreenAsync(load, GrainService);
            await Task.Delay(Cluster.LongerThanWait, Stop);
            await cluster.StartSiloAsync(2);
            await NobodyIsWaitedForAsync(load);
        });

        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);

        // By the first that looks; the other one hears of it.
        Assert.Contains(cluster.Silos[..2], silo => silo.Output.Contains("[1052]", StringComparison.Ordinal));
        Assert.All(cluster.Silos, NothingLooksLikeADefect);
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
            var asked = Task.WhenAll(load.AskForRevokedAsync(2, 50), load.AskForRevokedAsync(SecondService, 50), load.AskForRevokedAsync(GrainService, 50));
            cluster.Silos[2].Signal("CONT");
            await load.AskForRevokedAsync(2, 50);
            await load.AskForRevokedAsync(SecondService, 50);
            await load.AskForRevokedAsync(GrainService, 50);
            await asked;
            await GreenAsync(load, SecondService);
            await GreenAsync(load, GrainService);
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
            foreach (var verifier in (int[])[0, FirstService, GrainService])
            {
                var within = await load.AskForLivingAsync(verifier, 20);
                Assert.True(within.Accepted > 0 || within.Unavailable > 0);
                Assert.Equal(0, within.Refused);
            }

            await Task.Delay(Cluster.LongerThanWait, Stop);

            // The lease is over: nobody can say, nobody is signed out.
            foreach (var verifier in (int[])[0, FirstService, GrainService])
            {
                Assert.Equal(0, (await load.AskForLivingAsync(verifier, 20)).Accepted);
                Assert.Equal(0, (await load.AskForLivingAsync(verifier, 20)).Refused);
            }

            Assert.Equal(503, (int)(await cluster.Silos[0].Http.GetAsync("/health/ready", Stop)).StatusCode);
            await cluster.PostgreSql.RestartAsync();
            await WaitUntilAsync(async () => (await load.AskForLivingAsync(0, 20)) is { Accepted: > 0, Unavailable: 0 });
            await GreenAsync(load, FirstService);
            await GreenAsync(load, GrainService);
            await WaitUntilAsync(async () => (await cluster.Silos[0].Http.GetAsync("/health/ready", Stop)).IsSuccessStatusCode);
            await Task.Delay(TimeSpan.FromSeconds(3), Stop);
        });

        Assert.All(cluster.Silos, NothingLooksLikeADefect);
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
                await load.AskForRevokedAsync(SecondService, 20);
                await load.AskForRevokedAsync(GrainService, 20);
            }

            network.Mend();
            for (var i = 0; i < 10; i++)
            {
                await load.AskForRevokedAsync(2, 20);
                await load.AskForRevokedAsync(SecondService, 20);
                await load.AskForRevokedAsync(GrainService, 20);
                await Task.Delay(TimeSpan.FromSeconds(0.3), Stop);
            }
        }, ShortPatience);

        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);
    }

    [Fact]
    public async Task A_service_is_killed_then_stands_still_then_is_cut_off()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, async load =>
        {
            await cluster.Services[1].KillAsync();
            await Task.Delay(Cluster.LongerThanWait, Stop);
            Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);
            await cluster.StartServiceAsync(1);
            await GreenAsync(load, SecondService);

            await StandStillAndBeCutOffAsync(cluster, load);
            await Task.Delay(TimeSpan.FromSeconds(2), Stop);
        }, ShortPatience);

        Assert.Equal(new RevokeReceipt(6, 0), load.Receipts[^1]);
    }

    [Fact]
    public async Task A_service_over_Orleans_stands_still_and_is_killed_and_so_is_each_silo_in_turn()
    {
        await using var cluster = await Cluster.StartAsync();
        var load = await RunAsync(cluster, async load =>
        {
            cluster.Services[Cluster.GrainService].Signal("STOP");
            await Task.Delay(Cluster.LongerThanWait, Stop);
            var asked = load.AskForRevokedAsync(GrainService, 50);
            cluster.Services[Cluster.GrainService].Signal("CONT");
            await load.AskForRevokedAsync(GrainService, 50);
            await asked;
            await GreenAsync(load, GrainService);
            Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 0);

            await cluster.Services[Cluster.GrainService].KillAsync();
            await Task.Delay(Cluster.LongerThanWait, Stop);
            await cluster.StartServiceAsync(Cluster.GrainService);
            await GreenAsync(load, GrainService);

            // One of them is the one that it is connected to.
            foreach (var silo in (int[])[1, 2])
            {
                await cluster.Silos[silo].KillAsync();
                await load.AskForRevokedAsync(GrainService, 50);
                await GreenAsync(load, GrainService);
                await cluster.StartSiloAsync(silo);
            }

            await GreenAsync(load, GrainService);
            await NobodyIsWaitedForAsync(load);
        }, ShortPatience);
    }

    [Fact]
    public async Task Grid_is_restarted_again_and_again_under_load()
    {
        // GRID_DRILLS=long: as often as one should have seen it once.
        var times = Environment.GetEnvironmentVariable("GRID_DRILLS") == "long" ? 20 : 4;
        await using var cluster = await Cluster.StartSqliteAsync();
        await RunAsync(cluster, async load =>
        {
            for (var i = 0; i < times; i++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), Stop);
                if (i % 2 == 0)
                {
                    await cluster.Silos[0].TerminateAsync();
                }
                else
                {
                    await cluster.Silos[0].KillAsync();
                }

                foreach (var cable in cluster.Cables)
                {
                    cable.Put(Between.Nobody);
                }

                await cluster.StartSiloAsync(0);
                foreach (var cable in cluster.Cables)
                {
                    cable.Mend();
                }

                await Task.WhenAll(GreenAsync(load, cluster.Silos.Length), GreenAsync(load, cluster.Silos.Length + 1));

                // What it answered before it ended holds, and what it did not answer may be asked again.
                await load.RefreshAsync(all: false);
            }
        });
    }

    // What a campaign (bench/drills) does at length, each once.
    [Fact]
    public async Task Answers_are_lost_then_the_store_stands_still_ends_in_order_and_has_no_room()
    {
        string[] kinds = ["answers lost", "store stopped", "store restarted", "disk full"];
        var several = Drill.Named("disk full") with
        {
            Break = async run =>
            {
                foreach (var kind in kinds)
                {
                    await Drill.Named(kind).Break(run);
                }
            },
        };
        var load = Judge(await several.RunAsync(output.WriteLine, seed: 1, TimeSpan.FromSeconds(1), Stop));

        // Otherwise nothing was lost, and nobody asked again.
        Assert.Contains(load.History.Refreshes, refresh => refresh.Outcome == RefreshOutcome.Unknown);
    }

    [Fact]
    public async Task Two_hundred_services_stand_still_in_the_middle_of_their_connections()
    {
        var load = Judge(await Drill.Named("services stopped").RunAsync(output.WriteLine, seed: 1, TimeSpan.Zero, Stop));

        Assert.Contains(load.Receipts, receipt => receipt.WaitedOut > 100);
        Assert.Contains(load.Receipts, receipt => receipt is { Confirmed: > 100, WaitedOut: 0 });
    }

    private async Task GreenAsync(MixedLoad load, int verifier) =>
        output.WriteLine($"service {verifier} accepts a session that it had not seen {(await load.UntilGreenAsync(verifier, LongestWay)).TotalMilliseconds:F0} ms after it can");

    // Those who are gone are waited for until their leases have run out, and then no more.
    // What is normal after a crash is told without a stack: those are for what somebody has to look into.
    /// <summary>The second service stands still for longer than its lease, and then is cut off without being told.</summary>
    private async Task StandStillAndBeCutOffAsync(Cluster cluster, MixedLoad load)
    {
        // What it is asked meanwhile lies in its socket when it wakes up.
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
    }

    private static void NothingLooksLikeADefect(GridProcess silo) => Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);

    private static Task NobodyIsWaitedForAsync(MixedLoad load)
    {
        var before = load.Receipts.Count;
        return WaitUntilAsync(() => Task.FromResult(load.Receipts is var receipts && receipts.Count > before && receipts[^1].WaitedOut == 0));
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

    private async Task<MixedLoad> RunAsync(Cluster cluster, Func<MixedLoad, Task> drill, TimeSpan? patience = null) =>
        Judge(await DrillRun.RunAsync(cluster, run => drill(run.Load), output.WriteLine, Stop, patience: patience));

    private static MixedLoad Judge(DrillRun run)
    {
        var (cluster, load, history) = (run.Cluster, run.Load, run.Load.History);
        Assert.Empty(run.Violations);

        // The same history with one accept too many, and the same store with a row too few: the checker reads these names as they were written.
        var (ofOne, ofUser) = (history.Revocations.Last(call => call is { Session: not null, Acknowledged: not null }), history.Revocations.Last(call => call is { UserId: not null, Acknowledged: not null }));
        var ended = history.Made.FirstOrDefault(made => made.UserId == ofUser.UserId && made.Acknowledged < ofUser.Started);
        foreach (var (session, at) in new[] { (ofOne.Session, ofOne.Acknowledged), (ended?.Session, ofUser.Acknowledged) }.Where(forged => forged.Item1 is not null))
        {
            history.Add(new Verification { Session = session!, Verifier = "forged", Result = VerificationResult.Accepted, Started = at!.Value + TimeSpan.FromTicks(1), Ended = at.Value + TimeSpan.FromMilliseconds(1) });
            Assert.Contains(HistoryChecker.Check(history), violation => violation.Kind == ViolationKind.AcceptedAfterAcknowledgement && violation.Verification.Session == session);
        }

        var lossy = run.Stored! with { Sessions = [.. run.Stored.Sessions.Where(row => row.Session != run.Spared)] };
        Assert.Contains(HistoryChecker.Check(history, lossy), violation => violation.Kind == ViolationKind.SessionLost && violation.Verification.Session == run.Spared);

        // A history in which nothing happens proves nothing.
        Assert.True(load.Receipts.Count >= DrillRun.LeastRevocations);
        Assert.Contains(history.Verifications, verification => verification.Result == VerificationResult.Refused);
        Assert.Contains(history.Refreshes, refresh => refresh.Outcome == RefreshOutcome.Rotated);
        Assert.True(!cluster.HasGrainService || load.Revokers.GetValueOrDefault(cluster.Silos.Length) > 0);
        Assert.All(Enumerable.Range(0, cluster.Services.Length), service =>
        {
            Assert.Contains(history.Verifications, verification => verification.Verifier == $"service {service}" && verification.Result == VerificationResult.Accepted);
            Assert.Contains(history.Verifications, verification => verification.Verifier == $"service {service}" && verification.Result == VerificationResult.Refused);
        });
        return load;
    }
}
