using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>Something that breaks: what it needs, and how it is broken. By its name campaigns ask for it.</summary>
internal sealed record Drill(string Name, Func<DrillRun, Task> Break)
{
    // Behind the silos.
    private const int FirstService = 3;
    private const int SecondService = 4;
    private const int GrainService = 5;

    private const int WrongKey = 2;
    private const int CrowdSize = 200;

    // PostgreSQL's own files are 40 of these.
    private const int SmallDiskMegabytes = 96;

    private static ClusterPlan OfNode { get; } = new() { HasNodeServices = true };

    /// <summary>All there are.</summary>
    public static IReadOnlyList<Drill> All { get; } =
    [
        new("healthy", run => run.WaitAsync(run.Length)),
        new("silos killed", SilosKilledAsync),
        new("silo stopped", SiloStoppedAsync) { IsImpatient = true },
        new("store killed", StoreKilledAsync),
        new("store stopped", StoreStoppedAsync),
        new("store restarted", StoreRestartedAsync),
        new("disk full", DiskFullAsync) { NeedsSmallDisk = true },
        new("partition", PartitionAsync) { IsImpatient = true, NeedsNetwork = true },
        new("answers lost", AnswersLostAsync),
        new("wrong key", WrongKeyAsync),
        new("clock ahead", ClockAheadAsync) { NeedsOtherTime = true },
        new("services stopped", ServicesStoppedAsync) { Plan = new ClusterPlan { Crowd = CrowdSize }, Pause = TimeSpan.FromMilliseconds(50) },
        new("services cut", ServicesCutAsync),
        new("Node services killed", NodeServicesKilledAsync) { Plan = OfNode },
        new("Node services stopped", NodeServicesStoppedAsync) { Plan = OfNode, IsImpatient = true },
        new("Node services cut", ServicesCutAsync) { Plan = OfNode },
        new("Node clocks stepped", NodeClocksSteppedAsync) { Plan = OfNode with { HasOwnClocks = true } },
        new("file's silo killed", FilesSiloKilledAsync) { IsSqlite = true },
        new("rolling restart", RollingAsync) { Plan = new ClusterPlan { IsBalanced = true }, IsOrderly = true },
        new("rolling upgrade", RollingUpgradeAsync) { Plan = new ClusterPlan { IsBalanced = true, Former = Former }, IsOrderly = true, NeedsFormer = true },
    ];

    public static Drill Named(string name) => All.Single(drill => drill.Name == name);

    /// <summary>The build that a rolling upgrade begins with, a <c>Grid.Silo.dll</c> of another version.</summary>
    public static string? Former => Environment.GetEnvironmentVariable("GRID_DRILL_FORMER") is { Length: > 0 } path ? path : null;

    public ClusterPlan Plan { get; init; } = new();

    /// <summary>Nobody waits for long: or all workers soon wait for the one that does not answer, and nothing is revoked meanwhile.</summary>
    public bool IsImpatient { get; init; }

    /// <summary>No more than one request of a thousand fails in any ten seconds.</summary>
    public bool IsOrderly { get; init; }

    public bool IsSqlite { get; init; }

    public TimeSpan? Pause { get; init; }

    public bool NeedsNetwork { get; init; }

    public bool NeedsSmallDisk { get; init; }

    public bool NeedsFormer { get; init; }

    public bool NeedsOtherTime { get; init; }

    /// <summary>Breaks it on a cluster of its own. Skips the test where the machine lacks what it takes.</summary>
    public async Task<DrillRun> RunAsync(Action<string> say, int seed, TimeSpan length, CancellationToken stop)
    {
        Assert.SkipWhen(NeedsFormer && Former is null, "no former build: GRID_DRILL_FORMER names none");
        Assert.SkipWhen(Plan.HasNodeServices && NodeService.Missing is not null, NodeService.Missing ?? "");
        Assert.SkipWhen((Plan.HasOwnClocks || NeedsOtherTime) && FakeTime.Missing is not null, FakeTime.Missing ?? "");
        using var network = NeedsNetwork ? NetworkNamespace.Create() : null;
        var disk = NeedsSmallDisk ? await SmallDisk.TryMountAsync(SmallDiskMegabytes) : null;
        Assert.SkipWhen(NeedsSmallDisk && disk is null, SmallDisk.Missing);
        await using var cluster = IsSqlite ? await Cluster.StartSqliteAsync() : await Cluster.StartAsync(Plan with { Network = network, Disk = disk });
        return await DrillRun.RunAsync(cluster, BreakAndMendAsync, say, stop, seed, length, IsImpatient ? TimeSpan.FromMilliseconds(500) : null, Pause);
    }

    // Impatience is for the break.
    private async Task BreakAndMendAsync(DrillRun run)
    {
        await Break(run);
        run.Load.Patience = TimeSpan.FromSeconds(15);
        await run.GreenAsync();
    }

    /// <summary><c>kill -9</c> of one at random, every 20 s if the run is long, and at least every third of it.</summary>
    private static Task SilosKilledAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        var pause = TimeSpan.FromSeconds(Math.Clamp(run.Length.TotalSeconds / 3, 3, 20));
        var since = MixedLoad.Now;
        var silo = run.Random.Next(run.Cluster.Silos.Length);
        await run.Cluster.Silos[silo].KillAsync();

        // Its services come back at another one.
        var service = silo == 0 ? 0 : 1;
        run.Cluster.Cables[service].Cut();
        run.Cluster.Lead(service, (silo + 1) % run.Cluster.Silos.Length);
        run.Cluster.Cables[service].Mend();
        await run.WaitAsync(run.Between(0, 2));
        await run.Cluster.StartSiloAsync(silo);
        var rest = pause - (MixedLoad.Now - since);
        await run.WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
    });

    private static Task SiloStoppedAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        var silo = run.Random.Next(run.Cluster.Silos.Length);
        int[] askers = [silo, SecondService, GrainService];
        run.Cluster.Silos[silo].Signal("STOP");
        await run.WaitAsync(run.Between(0.5, 2.5) * Cluster.Lease.TotalSeconds);

        // They lie in its socket when it wakes up.
        var asked = run.AskForRevokedAsync(askers);
        run.Cluster.Silos[silo].Signal("CONT");
        await run.AskForRevokedAsync(askers);
        await asked;
        await run.WaitAsync(run.Between(0.5, 3));
    });

    private static Task StoreKilledAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        await run.Cluster.PostgreSql.CrashAsync();
        await run.WaitAsync(run.Between(0.1, 7));
        await run.Load.AskForLivingAsync(0, 20);
        await run.Cluster.PostgreSql.RestartAsync();
        await run.WaitAsync(run.Between(1, 4));
    });

    private static Task StoreStoppedAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        await run.Cluster.PostgreSql.SignalAsync("STOP");
        await run.WaitAsync(run.Between(0.5, 8));
        foreach (var verifier in (int[])[0, FirstService, GrainService])
        {
            await run.Load.AskForLivingAsync(verifier, 10);
        }

        await run.Cluster.PostgreSql.SignalAsync("CONT");
        await run.WaitAsync(run.Between(1, 4));
    });

    private static Task StoreRestartedAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        await run.Cluster.PostgreSql.EndAndRestartAsync();
        await run.WaitAsync(run.Between(0.5, 4));
    });

    /// <summary>PostgreSQL runs on when it cannot extend a table, and ends when it cannot extend its log.</summary>
    private static async Task DiskFullAsync(DrillRun run)
    {
        var disk = run.Cluster.Disk!;
        var since = MixedLoad.Now;

        // It has some room of its own, which others use up.
        await run.UntilAsync(async () =>
        {
            await disk.FillAsync();
            return !await run.Cluster.PostgreSql.TryFillLogAsync() && run.Load.History.Made.Any(made => made.Acknowledged is null && made.Started > since);
        });
        await run.WaitAsync(run.Between(1, 7));
        await run.Load.AskForLivingAsync(0, 20);
        await run.AskForRevokedAsync(0, 1, 2, FirstService);
        disk.Free();
        if (!await run.Cluster.PostgreSql.RunsAsync())
        {
            run.Say("PostgreSQL has ended, as its log had no room.");
            await run.Cluster.PostgreSql.RestartAsync();
        }

        var answered = run.Load.History.Made.Count(made => made.Acknowledged is not null);
        await run.UntilAsync(() => run.Load.History.Made.Count(made => made.Acknowledged is not null) > answered + 20);
    }

    private static Task PartitionAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        run.Cluster.Network!.Cut();
        var until = MixedLoad.Now + run.Between(1, 8);
        while (MixedLoad.Now < until)
        {
            await run.AskForRevokedAsync(2, SecondService, GrainService);
            await run.WaitAsync(TimeSpan.FromMilliseconds(500));
        }

        run.Cluster.Network.Mend();
        await run.AskForRevokedAsync(2, SecondService, GrainService);
        await run.WaitAsync(run.Between(1, 4));
        await run.AskForRevokedAsync(2, SecondService, GrainService);
    });

    /// <summary>What was done and not answered is done once, and asked for again.</summary>
    private static async Task AnswersLostAsync(DrillRun run)
    {
        run.Cluster.LoseAnswers();
        run.Load.LosesEvery = 2 + run.Random.Next(3);
        await run.WaitAsync(run.Length);
        run.Load.LosesEvery = 0;
    }

    /// <summary>A start with another key-encryption key, beside the cluster and in the place of one of its silos.</summary>
    private static Task WrongKeyAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        var wrong = ("Grid__Keys__EncryptionKey", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)));
        var (code, output) = await run.Cluster.KnockAsync(wrong);
        Assert.True(code == WrongKey && !output.Contains("Ready.", StringComparison.Ordinal), $"{code}: {output}");
        await run.Cluster.Silos[2].KillAsync();
        (code, output) = await run.Cluster.KnockAsync(wrong);
        Assert.True(code == WrongKey && !output.Contains("Ready.", StringComparison.Ordinal), $"{code}: {output}");
        await run.Cluster.StartSiloAsync(2);
    });

    /// <summary>One silo in three is two hours ahead: it answers nobody, and ends nothing.</summary>
    private static async Task ClockAheadAsync(DrillRun run)
    {
        await run.Cluster.Silos[2].TerminateAsync();
        await run.Cluster.StartSiloAsync(2, FakeTime.Ahead(TimeSpan.FromHours(2)));
        await run.RepeatAsync(async () =>
        {
            await run.WaitAsync(run.Between(1, 3));
            await run.Load.AskForLivingAsync(2, 20);
            await run.Load.AskForLivingAsync(SecondService, 20);
            await run.AskForRevokedAsync(0, 1, 2, SecondService);
        });
        if (run.Random.Next(2) == 0)
        {
            await run.Cluster.Silos[2].KillAsync();
        }
        else
        {
            await run.Cluster.Silos[2].TerminateAsync();
        }

        await run.Cluster.StartSiloAsync(2);
    }

    /// <summary>A crowd of services falls silent in the middle of its connections: revocations wait for it once, and it accepts nothing that was ended meanwhile.</summary>
    private static async Task ServicesStoppedAsync(DrillRun run)
    {
        var known = new List<string>();
        while (known.Count < 3)
        {
            if (await run.Load.CreateOwnAsync("crowd") is { } session)
            {
                await Task.WhenAll(Enumerable.Range(0, run.Cluster.Crowds.Count).Select(crowd => AcceptedAsync(run, crowd, session)));
                known.Add(session);
            }
        }

        // One while all are there, for the length of a confirmation.
        await EndAsync(run, known[0]);
        await run.RepeatAsync(async () =>
        {
            var isCut = run.Random.Next(2) == 0;
            foreach (var (process, cable) in run.Cluster.Crowds)
            {
                if (isCut)
                {
                    cable.Put(TestKit.Between.Silence);
                }
                else
                {
                    process.Signal("STOP");
                }
            }

            // One waits for them, and the next ones soon do not.
            await run.Load.RevokeOwnAsync(known[1]);
            await run.NobodyIsWaitedForAsync();
            await run.Load.RevokeOwnAsync(known[2]);
            var asked = isCut ? Task.CompletedTask : AskAsync(run, known);
            foreach (var (process, cable) in run.Cluster.Crowds)
            {
                cable.Mend();
                process.Signal("CONT");
            }

            await AskAsync(run, known);
            await asked;
        });
        var fresh = await run.Load.CreateOwnAsync("crowd");
        while (fresh is null)
        {
            fresh = await run.Load.CreateOwnAsync("crowd");
        }

        await Task.WhenAll(Enumerable.Range(0, run.Cluster.Crowds.Count).Select(crowd => AcceptedAsync(run, crowd, fresh)));
        await EndAsync(run, fresh);
    }

    private static async Task EndAsync(DrillRun run, string session)
    {
        await run.Load.RevokeOwnAsync(session);
        await AskAsync(run, [session]);
    }

    private static Task AskAsync(DrillRun run, IEnumerable<string> sessions) =>
        Task.WhenAll(sessions.SelectMany(session => Enumerable.Range(0, run.Cluster.Crowds.Count).Select(crowd => run.Load.AskCrowdAsync(crowd, session))));

    private static Task AcceptedAsync(DrillRun run, int crowd, string session) => run.UntilAsync(async () => await run.Load.AskCrowdAsync(crowd, session) is { Accepted: > 0, Refused: 0, Unavailable: 0 });

    /// <summary>Between services and silos something else sits, for a while.</summary>
    private static Task ServicesCutAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        foreach (var cable in run.Cluster.Cables)
        {
            cable.Put(Obstacles[run.Random.Next(Obstacles.Length)]);
        }

        var until = MixedLoad.Now + run.Between(0.5, 6);
        while (MixedLoad.Now < until)
        {
            await run.AskForRevokedAsync(FirstService, SecondService);
            await run.WaitAsync(TimeSpan.FromMilliseconds(300));
        }

        foreach (var cable in run.Cluster.Cables)
        {
            cable.Mend();
        }

        await run.AskForRevokedAsync(FirstService, SecondService);
        await run.WaitAsync(run.Between(0.5, 2));
    });

    /// <summary><c>kill -9</c> of one of two, and a new one after a while: those who revoke wait for its lease, and it comes back knowing nothing.</summary>
    private static Task NodeServicesKilledAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        var service = run.Random.Next(2);
        await run.Cluster.Services[service].KillAsync();
        await run.WaitAsync(run.Between(0, 2) * Cluster.Lease.TotalSeconds);
        await run.Cluster.StartServiceAsync(service);
        await run.AskForRevokedAsync(FirstService + service);
        await run.WaitAsync(run.Between(0.5, 2));
        await run.AskForRevokedAsync(FirstService + service);
    });

    /// <summary>One or both stand still, some for longer than a lease; what they are asked meanwhile lies in their sockets when they wake up.</summary>
    private static Task NodeServicesStoppedAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        int[] stopped = run.Random.Next(3) switch { 0 => [0], 1 => [1], _ => [0, 1] };
        int[] askers = [.. stopped.Select(service => FirstService + service)];
        foreach (var service in stopped)
        {
            run.Cluster.Services[service].Signal("STOP");
        }

        await run.WaitAsync(run.Between(0.5, 2.5) * Cluster.Lease.TotalSeconds);
        var asked = run.AskForRevokedAsync(askers);
        foreach (var service in stopped)
        {
            run.Cluster.Services[service].Signal("CONT");
        }

        await run.AskForRevokedAsync(askers);
        await asked;
        await run.WaitAsync(run.Between(0.5, 3));
    });

    /// <summary>A little, which no rule minds; by seconds; and by so much that what was missed may have been purged, or that every token has expired.</summary>
    private static async Task NodeClocksSteppedAsync(DrillRun run)
    {
        await run.RepeatAsync(async () =>
        {
            var service = run.Random.Next(2);
            run.Cluster.StepClock(service, ClockSteps[run.Random.Next(ClockSteps.Length)]);
            for (var i = 0; i < 3; i++)
            {
                await run.AskForRevokedAsync(FirstService + service);
                await run.Load.AskForLivingAsync(FirstService + service, 20);
                await run.WaitAsync(run.Between(0.1, 1.5));
            }
        });
        foreach (var service in (int[])[0, 1])
        {
            run.Cluster.StepClock(service, TimeSpan.Zero);
        }
    }

    private static TimeSpan[] ClockSteps { get; } = [.. new[] { 0.3, -0.3, 0.8, -0.8, 4, -4, 600, -600, 7200, -7200, 0 }.Select(TimeSpan.FromSeconds)];

    private static Between[] Obstacles { get; } =
        [TestKit.Between.Nobody, TestKit.Between.Closes, TestKit.Between.Silence, TestKit.Between.Slowness, TestKit.Between.BadGateway, TestKit.Between.OpensSilently, TestKit.Between.LostAnswers];

    private static Task FilesSiloKilledAsync(DrillRun run) => run.RepeatAsync(async () =>
    {
        await run.WaitAsync(run.Between(0.3, 2));
        if (run.Random.Next(3) == 0)
        {
            await run.Cluster.Silos[0].TerminateAsync();
        }
        else
        {
            await run.Cluster.Silos[0].KillAsync();
        }

        foreach (var cable in run.Cluster.Cables)
        {
            cable.Put(TestKit.Between.Nobody);
        }

        await run.Cluster.StartSiloAsync(0);
        foreach (var cable in run.Cluster.Cables)
        {
            cable.Mend();
        }
    });

    /// <summary>One silo after the other ends in order and comes back at the same address.</summary>
    private static async Task RollingAsync(DrillRun run)
    {
        for (var silo = 0; silo < run.Cluster.Silos.Length; silo++)
        {
            Assert.Equal(0, await run.Cluster.Silos[silo].TerminateAsync());
            await run.Cluster.StartSiloAsync(silo);
            await run.UntilAsync(async () => (await run.Cluster.Silos[silo].Http.GetAsync("/health/ready", run.Stop)).IsSuccessStatusCode);
            await run.WaitAsync(run.Length / run.Cluster.Silos.Length / 2);
        }
    }

    private static async Task RollingUpgradeAsync(DrillRun run)
    {
        Assert.All(run.Cluster.Silos, silo => Assert.False(silo.HasExited));
        run.Cluster.Upgrade();
        await RollingAsync(run);
    }
}
