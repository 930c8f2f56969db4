using System.Diagnostics;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Servers;
using Grid.Client;

namespace Grid.Bench.Services;

/// <summary>What was measured in one round.</summary>
/// <param name="PerSecond">Calls.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
/// <param name="Cpu">Microseconds of the silo's processor time for each call.</param>
/// <param name="Allocated">Bytes in this process for each call.</param>
internal sealed record Run(double PerSecond, double P50, double P99, double Cpu, double Allocated);

/// <summary>The calls of one transport. A call that does not succeed ends the run.</summary>
/// <param name="sessions">The transport.</param>
/// <param name="others">Makes the sessions that it does not know.</param>
/// <param name="silo">Process id.</param>
internal sealed class Calls(IGridSessions sessions, IGridSessions others, int silo)
{
    public const int Workers = 16;

    private const string Create = "create", Find = "find", FirstVerify = "verify, the first of a session of others", Verify = "verify, later ones";
    private const string Refresh = "refresh", RevokeOne = "revoke one", RevokeAll = "revoke all 10 of a user";

    private int _users;

    public static string[] Names => [Create, Find, FirstVerify, Verify, Refresh, RevokeOne, RevokeAll];

    public async Task<Run> MeasureAsync(string name, bool smoke)
    {
        var count = Count(name) / (smoke ? 20 : 1);
        count -= count % Workers;
        switch (name)
        {
            case Create:
                return await RunAsync(count, _ => CreateAsync($"user-{Interlocked.Increment(ref _users)}"));
            case Find:
                var pool = await CreateAllAsync(64, 1);
                return await RunAsync(count, async i => Require(await sessions.FindAsync(pool[i % pool.Length].Handle, default) is not null));
            case FirstVerify:
                var unknown = await CreateAllAsync(count, 1, others);
                return await RunAsync(count, i => VerifyAsync(unknown[i]));
            case Verify:
                var known = await CreateAllAsync(64, 1);
                await Task.WhenAll(known.Select(VerifyAsync));
                return await RunAsync(count, i => VerifyAsync(known[i % known.Length]));
            case Refresh:
                var latest = (await CreateAllAsync(Workers, 1)).Select(session => session.Tokens).ToArray();
                return await RunAsync(count, async i =>
                {
                    var refreshed = await sessions.RefreshAsync(new TokenToRefresh(latest[i % Workers].Refresh.Text, false, null, true), default);
                    Require(refreshed.Verdict == SessionVerdict.Ok);
                    latest[i % Workers] = refreshed.Tokens!;
                });
            case RevokeOne:
                var singles = await CreateAllAsync(count, 1);
                return await RunAsync(count, async i => Require((await sessions.RevokeAsync(singles[i].Handle, default)).Handles.Count == 1));
            default:
                var tens = await CreateAllAsync(count, 10);
                return await RunAsync(count, async i => Require((await sessions.RevokeUserAsync(tens[i * 10].UserId, null, null, default)).Handles.Count == 10));
        }
    }

    private static int Count(string name) => name switch
    {
        Verify => 320_000,
        Find => 8_000,
        RevokeAll => 320,
        _ => 1_600,
    };

    // Each worker has every sixteenth, one after the other.
    private async Task<Run> RunAsync(int count, Func<int, Task> call)
    {
        GC.Collect();
        var times = new long[count];
        var (cpu, allocated, began) = (ProcessUsage.CpuSeconds(silo), GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            for (var i = worker; i < count; i += Workers)
            {
                var started = Stopwatch.GetTimestamp();
                await call(i);
                times[i] = Stopwatch.GetTimestamp() - started;
            }
        })));
        var elapsed = Stopwatch.GetElapsedTime(began);
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        cpu = ProcessUsage.CpuSeconds(silo) - cpu;
        var latencies = new Latencies { Elapsed = elapsed };
        foreach (var time in times)
        {
            latencies.Add(time);
        }

        return new Run(latencies.PerSecond, latencies.Percentile(0.5), latencies.Percentile(0.99), cpu * 1e6 / count, (double)allocated / count);
    }

    private async Task<CreatedSession[]> CreateAllAsync(int users, int each, IGridSessions? maker = null)
    {
        var first = Interlocked.Add(ref _users, users) - users;
        var made = new CreatedSession[users * each];
        await Parallel.ForAsync(0, made.Length, new ParallelOptions { MaxDegreeOfParallelism = Workers }, async (i, _) => made[i] = await CreateAsync($"all-{first + (i / each)}", maker));
        return made;
    }

    private Task<CreatedSession> CreateAsync(string user, IGridSessions? maker = null) =>
        (maker ?? sessions).CreateAsync(new SessionDraft { UserId = user, PayloadJson = """{"plan":"pro"}""", DataJson = """{"device":"laptop"}""" }, default);

    private async Task VerifyAsync(CreatedSession session) =>
        Require((await sessions.VerifyAsync(new TokenToCheck(session.Tokens.Access.Text, false, null, false), default)).Verdict == SessionVerdict.Ok);

    private static void Require(bool succeeded)
    {
        if (!succeeded)
        {
            throw new InvalidOperationException("Refused.");
        }
    }
}
