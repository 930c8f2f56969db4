using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Scale;

/// <summary>The same operations on stores of several sizes, in turns: does it matter how many sessions there are?</summary>
internal static class SizesRun
{
    private const int Concurrency = 16;

    private static readonly string[] Operations = ["create", "verify, session known", "verify at first sight", "refresh", "list of a user", "revoke one", "revoke all of a user"];

    public static async Task RunAsync(StringBuilder page, string engine, IReadOnlyList<FilledStore> stores, int? postmaster, ScaleSettings settings)
    {
        // A file has no sizes of tables; only PostgreSQL has a postmaster.
        long? bytes = postmaster is null ? null : await stores[^1].CountAsync(
            "SELECT (SELECT pg_total_relation_size('grid_session') + pg_total_relation_size('grid_user_epoch')) / count(*) FROM grid_session");
        var pools = stores.Select(store => FilledStore.Prepare(store.Silo, new SessionPool("pool", settings.Smoke ? 4 : 200, 10))).ToList();
        var refreshes = pools.Select(pool => new RefreshSessions(pool.Tokens, Concurrency)).ToList();
        var figures = Operations.ToDictionary(name => name, _ => stores.Select(_ => new Blocks()).ToArray());

        // The first round warms up.
        for (var round = 0; round <= settings.Rounds; round++)
        {
            foreach (var operation in Operations)
            {
                for (var i = 0; i < stores.Count; i++)
                {
                    // Each is the first one once.
                    var at = (i + round) % stores.Count;
                    var block = await MeasureAsync(operation, stores[at], pools[at], refreshes[at], round, postmaster, settings);
                    if (round > 0)
                    {
                        figures[operation][at].Add(block);
                    }
                }
            }
        }

        page.AppendLine(CultureInfo.InvariantCulture, $"## {engine}: the same operation on stores of several sizes").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"{FilledStore.PerUser} sessions a user; {Concurrency} connections; {settings.Rounds} rounds, the sizes in turn within each; medians, and ratios to the smallest store. CPU is processor time of one operation in milliseconds.").AppendLine();
        page.AppendLine("| operation | sessions | ops/s | p50 ms | p99 ms | silo CPU | database CPU | CPU, ratio | p50, ratio |").AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var (operation, blocks) in figures)
        {
            for (var i = 0; i < stores.Count; i++)
            {
                var (one, first) = (blocks[i], blocks[0]);
                page.AppendLine(CultureInfo.InvariantCulture, $"| {operation} | {stores[i].Size:N0} | {one.PerSecond:N0} | {one.P50:F2} | {one.P99:F2} | {one.SiloCpu:F3} | {one.DatabaseCpu:F3} | {one.Cpu / first.Cpu:F2} | {one.P50 / first.P50:F2} |");
            }
        }

        page.AppendLine();
        if (bytes is not null)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"On disk, freshly written: {bytes} bytes a session, its indexes and its share of the user's row included.").AppendLine();
        }
    }

    private static async Task<Block> MeasureAsync(
        string operation, FilledStore store, SessionPool pool, RefreshSessions refreshes, int round, int? postmaster, ScaleSettings settings)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{round}");
        var few = settings.Smoke ? 5 : 150;
        switch (operation)
        {
            case "create":
                return Timed(new CreateSessions($"new{name}-"));
            case "verify, session known":
                return Timed(new PreparedRequests(pool.Tokens.Select(token => CoreRequests.Verify(token.Access, checkDatabase: false))));
            case "verify at first sight":
                var fresh = FilledStore.Prepare(store.Silo, new SessionPool($"fresh{name}", 10 * few, 1));
                return Whole(new EachOnce(fresh.Tokens.Select(token => CoreRequests.Verify(token.Access, checkDatabase: false))));
            case "refresh":
                return Timed(refreshes);
            case "list of a user":
                var random = new Random(round);
                return Timed(new PreparedRequests(Enumerable.Range(0, 20 * few).Select(_ => CoreRequests.List(store.Users[random.Next(store.Users.Length)]))));
            case "revoke one":
                await AddAsync(4 * few, 1);
                return Whole(new EachOnce(store.Last(4 * few).Select(handle => CoreRequests.Post("/recipe/session/remove", $$"""{"sessionHandles":["{{handle:D}}"]}"""))));
            default:
                var users = await AddAsync(few, FilledStore.PerUser);
                return Whole(new OnceRequests(users.Select(CoreRequests.RevokeAll), FilledStore.PerUser));
        }

        Block Timed(IScenario body) => Measure(body, settings.Block);

        Block Whole(IScenario body) => Measure(body, Timeout.InfiniteTimeSpan);

        Block Measure(IScenario body, TimeSpan time) => Block.Of([store.Silo], postmaster, () =>
        {
            using var load = new LoadGenerator(store.Silo.EndPoint, Concurrency);
            return load.Run(body, time);
        });

        Task<string[]> AddAsync(int users, int perUser) => store.AddAsync(users, perUser);
    }
}
