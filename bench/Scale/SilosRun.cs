using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.TestKit;

namespace Grid.Bench.Scale;

/// <summary>Clusters of one, two and three silos on the same cores, under the same load in turns: what an operation costs when others take part.</summary>
internal static class SilosRun
{
    private const int Concurrency = 12;

    public static async Task RunAsync(StringBuilder page, PostgreSqlServer server, int postmaster, string folder, ScaleSettings settings)
    {
        List<List<ServerProcess>> clusters = [];
        try
        {
            List<MixedLoad> loads = [];
            List<SessionPool> pools = [];
            for (var count = 1; count <= 3; count++)
            {
                var connection = await server.CreateDatabaseAsync();
                var key = GridServer.NewKey();
                List<ServerProcess> cluster = [];
                clusters.Add(cluster);
                for (var i = 0; i < count; i++)
                {
                    cluster.Add(await GridServer.StartAsync(folder, connection, key));
                }

                var pool = FilledStore.Prepare(cluster[0], new SessionPool("pool", settings.Smoke ? 4 : 100, 10));
                pools.Add(pool);
                loads.Add(new MixedLoad("mix", pool, [.. pool.UserIds], [], Concurrency));
            }

            var figures = clusters.Select(_ => new Dictionary<string, Blocks> { ["mixed"] = new(), ["checks"] = new(), ["creations"] = new(), ["revocations"] = new() }).ToArray();
            var warmUp = settings.Smoke ? 1 : 4;
            for (var round = 0; round < warmUp + (2 * settings.Rounds); round++)
            {
                for (var i = 0; i < clusters.Count; i++)
                {
                    var at = (i + round) % clusters.Count;
                    var ended = FilledStore.Prepare(clusters[at][0], new SessionPool(string.Create(CultureInfo.InvariantCulture, $"ended{round}"), settings.Smoke ? 6 : 400, 1));
                    var checks = new PreparedRequests(pools[at].Tokens.Select(token => CoreRequests.Verify(token.Access, checkDatabase: false)));
                    Add("mixed", Measure(loads[at], settings.Block));
                    Add("checks", Measure(checks, settings.Block));
                    Add("creations", Measure(new CreateSessions(string.Create(CultureInfo.InvariantCulture, $"made{round}-")), settings.Block));
                    Add("revocations", Measure(new OnceRequests(ended.UserIds.Select(CoreRequests.RevokeAll), 1), Timeout.InfiniteTimeSpan));

                    // Each of several processes takes its time to compile what it does often.
                    void Add(string name, Block block)
                    {
                        if (round >= warmUp)
                        {
                            figures[at][name].Add(block);
                        }
                    }

                    Block Measure(IScenario body, TimeSpan time) => Block.Of(clusters[at], postmaster, () =>
                    {
                        using var load = new LoadGenerator([.. clusters[at].Select(silo => silo.EndPoint)], Concurrency);
                        return load.Run(body, time);
                    });
                }
            }

            page.AppendLine("## PostgreSQL: one, two and three silos on the same cores").AppendLine();
            page.AppendLine(CultureInfo.InvariantCulture, $"{Concurrency} connections, spread over the silos; {2 * settings.Rounds} rounds, the clusters in turn within each; CPU is processor time of one operation in milliseconds, of all silos and of the database, what they do without requests included. Mixed: of 20 requests 14 checks, 3 refreshes, 2 creations, a list.").AppendLine();
            page.AppendLine("| load | silos | ops/s | p50 ms | p99 ms | silos' CPU | database CPU | CPU, ratio to one silo |").AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|");
            foreach (var name in figures[0].Keys)
            {
                for (var i = 0; i < clusters.Count; i++)
                {
                    var (one, first) = (figures[i][name], figures[0][name]);
                    page.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {i + 1} | {one.PerSecond:N0} | {one.P50:F2} | {one.P99:F2} | {one.SiloCpu:F3} | {one.DatabaseCpu:F3} | {one.Cpu / first.Cpu:F2} |");
                }
            }

            page.AppendLine();
        }
        finally
        {
            clusters.ForEach(cluster => cluster.ForEach(silo => silo.Dispose()));
        }
    }
}
