using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;

namespace Grid.Bench.Scale;

/// <summary>Users with few and with many sessions: does a session of a user cost more where the user has many?</summary>
internal static class UsersRun
{
    private const int Concurrency = 4;

    public static async Task RunAsync(StringBuilder page, FilledStore store, int? postmaster, ScaleSettings settings)
    {
        List<(int Sessions, Blocks List, Blocks Revoke)> figures = [.. settings.PerUser.Select(kind => (kind.Sessions, new Blocks(), new Blocks()))];

        // The first round warms up.
        for (var round = 0; round <= settings.Rounds; round++)
        {
            List<string[]> users = [];
            foreach (var (sessions, count) in settings.PerUser)
            {
                users.Add(await store.AddAsync(count, sessions));
            }

            await store.SettleAsync();
            for (var i = 0; i < users.Count; i++)
            {
                var list = Measure(new PreparedRequests(users[i].Select(CoreRequests.List)), settings.Block);
                var revoke = Measure(new OnceRequests(users[i].Select(CoreRequests.RevokeAll), figures[i].Sessions), Timeout.InfiniteTimeSpan);
                if (round > 0)
                {
                    figures[i].List.Add(list);
                    figures[i].Revoke.Add(revoke);
                }
            }
        }

        page.AppendLine(CultureInfo.InvariantCulture, $"## PostgreSQL: users with few and with many sessions, in a store of {store.Size:N0}").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"{Concurrency} connections, {settings.Rounds} rounds, the kinds in turn within each. CPU of silo and database in microseconds for each session that is listed or ended; ratios to the first line.").AppendLine();
        page.AppendLine("| operation | sessions of the user | n | p50 ms | p99 ms | CPU µs per session | ratio |").AppendLine("|---|--:|--:|--:|--:|--:|--:|");
        foreach (var (name, of) in new (string, Func<(int, Blocks List, Blocks Revoke), Blocks>)[] { ("list", figure => figure.List), ("revoke all", figure => figure.Revoke) })
        {
            var first = of(figures[0]).Cpu / figures[0].Sessions;
            foreach (var figure in figures)
            {
                var blocks = of(figure);
                page.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {figure.Sessions:N0} | {blocks.Count:N0} | {blocks.P50:F2} | {blocks.P99:F2} | {1000 * blocks.Cpu / figure.Sessions:F1} | {blocks.Cpu / figure.Sessions / first:F2} |");
            }
        }

        page.AppendLine();

        Block Measure(IScenario body, TimeSpan time) => Block.Of([store.Silo], postmaster, () =>
        {
            using var load = new LoadGenerator(store.Silo.EndPoint, Concurrency);
            return load.Run(body, time);
        });
    }
}
