namespace Grid.Revocation.Tests.Simulation;

/// <summary>What many seeds came to.</summary>
/// <param name="Seeds">How many ran.</param>
/// <param name="Steps">In all of them.</param>
/// <param name="Acknowledged">Revocations, in all of them.</param>
/// <param name="FailedSeed">The lowest one that failed.</param>
/// <param name="Problem">What was wrong with it.</param>
internal sealed record SeedTally(int Seeds, long Steps, long Acknowledged, ulong FailedSeed, string? Problem)
{
    /// <summary>Runs seeds on all cores until one fails.</summary>
    /// <param name="mistake">Planted.</param>
    /// <param name="first">The first seed.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="problem">What has to be wrong with it; other problems do not count.</param>
    public static SeedTally Run(Mistake mistake, ulong first, int count, string problem = "")
    {
        var tally = new SeedTally(0, 0, 0, 0, null);
        var gate = new Lock();
        var next = -1;

        // Threads of our own: nothing in a run may depend on the pool, and the test runner's context must not get in the way.
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(RunSeeds)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return tally;

        void RunSeeds()
        {
            while (tally.Problem is null && Interlocked.Increment(ref next) is var index && index < count)
            {
                var seed = first + (ulong)index;
                var run = SimulationRun.Of(seed, mistake);
                lock (gate)
                {
                    tally = tally with { Seeds = tally.Seeds + 1, Steps = tally.Steps + run.Steps, Acknowledged = tally.Acknowledged + run.Acknowledged };
                    if (run.Problem?.Contains(problem, StringComparison.Ordinal) == true && (tally.Problem is null || seed < tally.FailedSeed))
                    {
                        tally = tally with { FailedSeed = seed, Problem = run.Problem };
                    }
                }
            }
        }
    }
}
