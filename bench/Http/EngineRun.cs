using Grid.Bench.Http.Baselines;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.TestKit;
using Npgsql;

namespace Grid.Bench.Http;

/// <summary>All scenarios on one engine, then the bare statements on the same database.</summary>
internal static class EngineRun
{
    public const string BareInsert = "bare INSERT";
    public const string BareSelect = "bare SELECT";

    private const int SessionsPerUser = 10;
    private const int WarmUpConcurrency = 16;

    /// <returns>Null, or why the engine was left out.</returns>
    public static async Task<string?> PostgreSqlAsync(RunSettings settings, List<Figure> figures)
    {
        await using var database = await PostgreSqlServer.TryStartAsync();
        if (database is null)
        {
            return PostgreSqlServer.Missing;
        }

        var connection = await database.CreateDatabaseAsync();
        var postmaster = ProcessUsage.Postmaster(new NpgsqlConnectionStringBuilder(connection).Port);
        var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
        try
        {
            using (var grid = await GridServer.StartAsync(folder, connection))
            {
                Scenarios(new Measured("PostgreSQL", grid, postmaster, settings, figures), grid, settings);
            }

            foreach (var concurrency in settings.Concurrency)
            {
                var strangers = OtherCores.Begin(() => ProcessUsage.PostgreSqlCpuSeconds(postmaster));
                var (insert, select) = await PostgreSqlLoop.RunAsync(connection, concurrency, settings.Measure);
                var cores = strangers.End();
                figures.Add(Figure.Of("PostgreSQL", BareInsert, concurrency, insert) with { OtherCores = cores });
                figures.Add(Figure.Of("PostgreSQL", BareSelect, concurrency, select) with { OtherCores = cores });
            }

            return null;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static async Task SqliteAsync(RunSettings settings, List<Figure> figures)
    {
        var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
        try
        {
            using (var grid = await GridServer.StartAsync(folder, postgreSql: null))
            {
                Scenarios(new Measured("SQLite", grid, postmaster: null, settings, figures), grid, settings);
            }

            var strangers = OtherCores.Begin(() => 0);
            var (insert, select) = SqliteLoop.Run(Path.Combine(folder, "grid.db"), settings.Measure);
            var cores = strangers.End();
            figures.Add(Figure.Of("SQLite", BareInsert, 1, insert) with { OtherCores = cores });
            figures.Add(Figure.Of("SQLite", BareSelect, 1, select) with { OtherCores = cores });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Scenarios(Measured measured, ServerProcess grid, RunSettings settings)
    {
        var live = Measured.Prepare(grid.EndPoint, new SessionPool("live", settings.Sessions / SessionsPerUser, SessionsPerUser));
        foreach (var scenario in settings.Scenarios.Where(s => s != "revoke-all"))
        {
            measured.WarmUp(WarmUpConcurrency, () => Body(scenario, "warm", WarmUpConcurrency));
        }

        foreach (var scenario in settings.Scenarios)
        {
            foreach (var concurrency in settings.Concurrency)
            {
                if (scenario == "revoke-all")
                {
                    // One for each connection; a single connection gets ten, so that its p50 says something.
                    var pool = Measured.Prepare(grid.EndPoint, new SessionPool($"ended{concurrency}", Math.Max(10, concurrency), settings.RevokedSessions));
                    measured.Once(scenario, concurrency, new OnceRequests(pool.UserIds.Select(CoreRequests.RevokeAll), settings.RevokedSessions));
                    continue;
                }

                measured.For(scenario, concurrency, () => Body(scenario, "run", concurrency));
            }
        }

        Load.IScenario Body(string scenario, string phase, int concurrency) => scenario switch
        {
            "create" => new CreateSessions($"new-{phase}{concurrency}-"),
            "verify" => new PreparedRequests(live.Tokens.Select(t => CoreRequests.Verify(t.Access, checkDatabase: false))),
            "verify+db" => new PreparedRequests(live.Tokens.Select(t => CoreRequests.Verify(t.Access, checkDatabase: true))),
            "refresh" => new RefreshSessions(
                Measured.Prepare(grid.EndPoint, new SessionPool($"refreshed-{phase}{concurrency}", settings.Sessions / SessionsPerUser, SessionsPerUser)).Tokens, concurrency),
            "list" => new PreparedRequests(live.UserIds.Select(CoreRequests.List)),
            _ => throw new InvalidOperationException($"No scenario '{scenario}'."),
        };
    }
}
