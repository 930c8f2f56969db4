using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Overload;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Scale;

/// <summary>Very many rows expire, and the purge removes them, for half of each minute, while others work.</summary>
internal static class PurgeRun
{
    // The shortest period that there is: then the purge works for 30 s and rests for 30.
    public static readonly Dictionary<string, string> SiloSettings = new() { ["Grid__Purge__Period"] = "1m" };

    private const int Connections = 64;

    // Of what the machine can do at best: a store that has no time left has none for a purge either.
    private const double Share = 0.3;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(6);

    public static async Task RunAsync(StringBuilder page, FilledStore store, ScaleSettings settings)
    {
        await store.AddAsync(4_000, 5);
        var load = new MixedLoad("mix", FilledStore.Prepare(store.Silo, new SessionPool("mixed", 200, 10)), store.Users, store.Last(20_000), Connections);
        double peak;
        using (var closed = new LoadGenerator(store.Silo.EndPoint, 16))
        {
            peak = closed.Run(load, TimeSpan.FromSeconds(4)).PerSecond;
        }

        await store.WriteAsync(new SessionRows(store.Sample, SessionRows.Names("expired", Math.Max(1, settings.Expired / FilledStore.PerUser)), FilledStore.PerUser, TimeSpan.FromHours(1)));
        await store.SettleAsync();
        var (quiet, purging, refused) = (new Latencies(), new Latencies(), 0);
        var (quietSlices, purgingSlices) = (0, 0);
        var worked = TimeSpan.Zero;
        var began = Stopwatch.GetTimestamp();
        var (left, after) = (await LeftAsync(store), 0);
        var all = left;
        using (var flood = new Flood(store.Silo.EndPoint, Connections))
        {
            // Some slices without it follow.
            while (after < 8 && Stopwatch.GetElapsedTime(began) < Longest)
            {
                var slice = flood.Run(load, peak * Share, Slice);
                refused += slice.Refused.Count;
                var now = await LeftAsync(store);

                // A slice in which it began or ended belongs to neither.
                if (now == left)
                {
                    quiet.Add(slice.Done);
                    quietSlices++;
                    after += now == 0 ? 1 : 0;
                }
                else if (now > 0)
                {
                    purging.Add(slice.Done);
                    purgingSlices++;
                    worked += Slice;
                }

                left = now;
            }
        }

        page.AppendLine(CultureInfo.InvariantCulture, $"## PostgreSQL: purge of {settings.Expired:N0} expired rows among {store.Size:N0} live ones, under load").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"Mixed load (of 20 requests 13 checks, 3 refreshes, 2 creations, a list, a revocation) at {peak * Share:N0} requests a second, {Share:P0} of what the machine can do; purge with the default steps (500 rows, 20 ms rest), every minute for half of it. Slices of {Slice.TotalSeconds:N0} s, told apart by what is left to purge.").AppendLine();
        page.AppendLine("| | slices | requests | p50 ms | p99 ms |").AppendLine("|---|--:|--:|--:|--:|");
        page.AppendLine(CultureInfo.InvariantCulture, $"| purge rests | {quietSlices} | {quiet.Count:N0} | {quiet.Percentile(0.5):F2} | {quiet.Percentile(0.99):F2} |");
        page.AppendLine(CultureInfo.InvariantCulture, $"| purge works | {purgingSlices} | {purging.Count:N0} | {purging.Percentile(0.5):F2} | {purging.Percentile(0.99):F2} |");
        page.AppendLine(CultureInfo.InvariantCulture, $"| ratio | | | {purging.Percentile(0.5) / quiet.Percentile(0.5):F2} | {purging.Percentile(0.99) / quiet.Percentile(0.99):F2} |").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"{all - left:N0} of {all:N0} rows purged in {worked.TotalSeconds:N0} s of work ({(all - left) / Math.Max(1, worked.TotalSeconds):N0} a second); {refused} requests were refused.").AppendLine();
    }

    // By the index, in which what was purged is skipped.
    private static Task<long> LeftAsync(FilledStore store) => store.CountAsync(
        "SELECT count(*) FROM grid_session WHERE expires_hour <= (extract(epoch FROM now()) / 3600)::bigint");
}
