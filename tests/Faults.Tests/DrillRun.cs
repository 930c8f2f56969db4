using Grid.TestKit.History;

namespace Grid.Faults.Tests;

/// <summary>A cluster at work while something is broken, and what its history says afterwards.</summary>
internal sealed class DrillRun
{
    public const int LeastRevocations = 20;

    // Generous: a bound for what never comes back.
    private static readonly TimeSpan LongestWay = TimeSpan.FromMinutes(5);

    // After which one looks whether a silo has ended.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(20);

    private readonly Action<string> _say;

    private DrillRun(Cluster cluster, MixedLoad load, int seed, TimeSpan length, Action<string> say, CancellationToken stop) =>
        (Cluster, Load, Random, Length, _say, Stop) = (cluster, load, new Random(seed), length, say, stop);

    public Cluster Cluster { get; }

    public MixedLoad Load { get; }

    public Random Random { get; }

    /// <summary>How long things are broken, about.</summary>
    public TimeSpan Length { get; }

    public CancellationToken Stop { get; }

    /// <summary>When the breaking began and when it was over, by the history's clock.</summary>
    public (TimeSpan Begun, TimeSpan Over) Broken { get; private set; }

    public StoreImage? Stored { get; private set; }

    /// <summary>A session that was made last and that nobody has ended.</summary>
    public string? Spared { get; private set; }

    public IReadOnlyList<HistoryViolation> Violations { get; private set; } = [];

    /// <summary>Runs a load and breaks something meanwhile; then everybody comes back, is asked for all that was ended and all that lives, and the history is checked against the store.</summary>
    /// <returns>With the violations, which are for the caller to judge.</returns>
    public static async Task<DrillRun> RunAsync(
        Cluster cluster, Func<DrillRun, Task> breaking, Action<string> say, CancellationToken stop, int seed = 0, TimeSpan length = default, TimeSpan? patience = null, TimeSpan? pause = null)
    {
        var load = new MixedLoad(cluster, seed);
        load.Pause = pause ?? load.Pause;
        var run = new DrillRun(cluster, load, seed, length, say, stop);
        using var ended = new CancellationTokenSource();
        var running = load.RunAsync(ended.Token);
        try
        {
            // Silos that have just started are slow, on a busy machine for long: what breaks shall break at work.
            await run.UntilAsync(() => load.Receipts.Count >= LeastRevocations);
            await run.GreenAsync();
            load.IsAtWork();
            load.Patience = patience ?? load.Patience;
            var begun = MixedLoad.Now;
            await breaking(run);
            run.Broken = (begun, MixedLoad.Now);
        }
        finally
        {
            await ended.CancelAsync();
            await running;
        }

        // Long after the end, wherever tokens are checked: nothing has come back to life. Who lives goes on.
        load.Patience = TimeSpan.FromSeconds(15);
        load.LosesEvery = 0;
        for (var verifier = 0; verifier < load.Verifiers; verifier++)
        {
            await load.AskForRevokedAsync(verifier, 200);
        }

        await load.RefreshAsync(all: true);
        for (var tries = 0; run.Spared is null; tries++)
        {
            Assert.True(tries < 300, "No session is made any more.");
            run.Spared = await load.CreateOwnAsync("spared");
        }

        run.Stored = await cluster.StoredAsync(MixedLoad.Now);
        run.Violations = HistoryChecker.Check(load.History, run.Stored);
        var history = load.History;
        say($"{load.Requests.Answered} answered, {load.Requests.Unavailable} not; {history.Made.Count} sessions, {history.Verifications.Count} verifications, {history.Refreshes.Count} refreshes, {run.Stored.Sessions.Count} rows, {load.Receipts.Count} receipts, {load.Receipts.Count(receipt => receipt.WaitedOut > 0)} of them waited out");
        return run;
    }

    /// <summary>Into the test's output.</summary>
    public void Say(string what) => _say(what);

    public Task WaitAsync(TimeSpan time) => Task.Delay(time, Stop);

    /// <summary>A time between two, by the run's seed.</summary>
    public TimeSpan Between(double least, double most) => TimeSpan.FromSeconds(least + (Random.NextDouble() * (most - least)));

    /// <summary>Breaks something again and again for the length of the run, and at least once.</summary>
    public async Task RepeatAsync(Func<Task> once)
    {
        var since = MixedLoad.Now;
        do
        {
            await once();
        }
        while (MixedLoad.Now - since < Length);
    }

    /// <summary>Until every verifier accepts a session that it had not seen. A silo that was away for so long that the others declared it dead ends by itself; it is started again, as an init system does.</summary>
    public async Task GreenAsync()
    {
        for (var verifier = 0; verifier < Load.Verifiers; verifier++)
        {
            for (var since = MixedLoad.Now; ;)
            {
                await StartEndedAsync();
                try
                {
                    var took = await Load.UntilGreenAsync(verifier, Look);
                    _say($"verifier {verifier} accepts a session that it had not seen {took.TotalMilliseconds:F0} ms after it can");
                    break;
                }
                catch (TimeoutException) when (MixedLoad.Now - since < LongestWay)
                {
                    // It may have ended meanwhile.
                }
            }
        }
    }

    private async Task StartEndedAsync()
    {
        for (var silo = 0; silo < Cluster.Silos.Length; silo++)
        {
            if (Cluster.Silos[silo] is { HasExited: true, Output: var said })
            {
                _say($"silo {silo} has ended by itself; it said: {said[..Math.Min(said.Length, 20_000)]}");
                await Cluster.StartSiloAsync(silo);
            }
        }
    }

    /// <summary>Until those who are gone are waited for no more.</summary>
    public Task NobodyIsWaitedForAsync()
    {
        var before = Load.Receipts.Count;
        return UntilAsync(() => Load.Receipts is var receipts && receipts.Count > before && receipts[^1].WaitedOut == 0);
    }

    /// <summary>Shows ended sessions' tokens to some verifiers.</summary>
    public Task AskForRevokedAsync(params int[] verifiers) => Task.WhenAll(verifiers.Select(verifier => Load.AskForRevokedAsync(verifier, 50)));

    public Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    public async Task UntilAsync(Func<Task<bool>> holds)
    {
        var since = MixedLoad.Now;
        while (!await holds())
        {
            if (MixedLoad.Now - since > LongestWay)
            {
                throw new TimeoutException("It does not come back.");
            }

            await Task.Delay(200, Stop);
        }
    }
}
