using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.TestKit;

namespace Grid.Bench.Http.Overload;

/// <summary>
/// Three times as many requests of one kind as the silo can do: what it still gets done beside what it can do at best, how soon it refuses
/// the others, and what revocations see meanwhile. Peak and flood take turns, since the machine may be shared.
/// </summary>
internal static class OverloadRun
{
    private const double Times = 3;
    private const int RevocationsPerSecond = 40;

    private static readonly string[] Scenarios = ["create", "refresh", "verify+db", "list", "verify"];

    public static async Task<string> RunAsync(RunSettings settings)
    {
        var page = Head(settings);
        foreach (var engine in settings.Engines)
        {
            await using var database = engine == "PostgreSQL" ? await PostgreSqlServer.TryStartAsync() : null;
            if (engine == "PostgreSQL" && database is null)
            {
                page.AppendLine(CultureInfo.InvariantCulture, $"{engine} is left out: {PostgreSqlServer.Missing}.").AppendLine();
                continue;
            }

            var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
            try
            {
                using var grid = await GridServer.StartAsync(folder, database is null ? null : await database.CreateDatabaseAsync());
                Engine(page, engine, grid, settings);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return page.ToString();
    }

    private static StringBuilder Head(RunSettings settings)
    {
        var page = new StringBuilder();
        page.AppendLine("# Overload").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC. Command: `dotnet run -c Release --project bench/Http -- --overload`").AppendLine();
        foreach (var fact in Machine.Facts())
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"- {fact}");
        }

        page.AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"For each kind of request, {Rounds(settings)} rounds: the best of 32 and 64 connections in closed loops (peak), then {Times} times that rate, sent whatever the answers are, on {Connections(settings)} connections. {settings.Measure.TotalSeconds} s each; the rounds' medians. Beside both one back end revokes a user's session {RevocationsPerSecond} times a second at most. Load generator, server and database share the machine.").AppendLine();
        if (settings.Smoke)
        {
            page.AppendLine("A smoke run: it shows that everything works. Its figures mean nothing.").AppendLine();
        }

        return page;
    }

    private static void Engine(StringBuilder page, string engine, ServerProcess grid, RunSettings settings)
    {
        var live = Measured.Prepare(grid.EndPoint, new SessionPool("live", settings.Sessions / 10, 10));
        page.AppendLine(CultureInfo.InvariantCulture, $"## {engine}").AppendLine();
        page.AppendLine("| flood of | peak/s | offered/s | not sent/s | done/s | of peak | done p50/p99 ms | refused/s | refusal p50/p99 ms | revocation p50/p99 ms at peak | in the flood | of them refused | other cores |");
        page.AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var scenario in Scenarios.Where(name => settings.Scenarios.Contains(name)))
        {
            Measured.Prepare(grid.EndPoint, new Limited(Body(scenario, "warm", 32), settings.Smoke ? 100 : 20_000));
            var rounds = Enumerable.Range(0, Rounds(settings)).Select(round => Round(scenario, round)).ToList();
            double Median(Func<Measurement, double> of) => rounds.Select(of).Order().ElementAt(rounds.Count / 2);
            page.AppendLine(CultureInfo.InvariantCulture, $"| {scenario} | {Median(r => r.Peak):N0} | {Median(r => r.Flood.Offered):N0} | {Median(r => r.Flood.NotSent):N0} | {Median(r => r.Flood.Done.PerSecond):N0} | {Median(r => r.Flood.Done.PerSecond / r.Peak):P0} | {Median(r => r.Flood.Done.Percentile(0.5)):F1} / {Median(r => r.Flood.Done.Percentile(0.99)):F1} | {Median(r => r.Flood.Refused.PerSecond):N0} | {Median(r => r.Flood.Refused.Percentile(0.5)):F1} / {Median(r => r.Flood.Refused.Percentile(0.99)):F1} | {Median(r => r.Before.Percentile(0.5)):F1} / {Median(r => r.Before.Percentile(0.99)):F1} | {Median(r => r.During.Percentile(0.5)):F1} / {Median(r => r.During.Percentile(0.99)):F1} | {rounds.Sum(r => r.RevocationsRefused)} | {Median(r => r.OtherCores):F1} |");
            Console.Error.WriteLine(page.ToString().TrimEnd().Split('\n')[^1]);
        }

        page.AppendLine();

        Measurement Round(string scenario, int round)
        {
            var strangers = OtherCores.Begin(() => ProcessUsage.CpuSeconds(grid.Id));
            double peak = 0;
            var before = Beside($"calm-{scenario}{round}", () =>
            {
                foreach (var concurrency in settings.Smoke ? [4] : (int[])[32, 64])
                {
                    using var load = new LoadGenerator(grid.EndPoint, concurrency);
                    peak = Math.Max(peak, load.Run(Body(scenario, $"peak{round}", concurrency), settings.Measure).PerSecond);
                }
            });
            using var flood = new Flood(grid.EndPoint, Connections(settings));
            var body = Body(scenario, $"flood{round}", Connections(settings));
            FloodFigures figures = null!;
            var during = Beside($"flood-{scenario}{round}", () => figures = flood.Run(body, peak * Times, settings.Measure));
            return new Measurement(peak, figures, before.Done, during.Done, during.Refused, strangers.End());
        }

        Revocations Beside(string users, Action work)
        {
            var seconds = settings.Measure.TotalSeconds * 3;
            var pool = Measured.Prepare(grid.EndPoint, new SessionPool(users, (int)Math.Ceiling(seconds * RevocationsPerSecond), 1));
            using var revocations = new Revocations(grid.EndPoint, pool.UserIds);
            work();
            revocations.Stop();
            return revocations;
        }

        IScenario Body(string scenario, string phase, int concurrency) => scenario switch
        {
            "create" => new CreateSessions($"new-{phase}{concurrency}-"),
            "verify" => new PreparedRequests(live.Tokens.Select(t => CoreRequests.Verify(t.Access, checkDatabase: false))),
            "verify+db" => new PreparedRequests(live.Tokens.Select(t => CoreRequests.Verify(t.Access, checkDatabase: true))),
            "refresh" => new RefreshSessions(Measured.Prepare(grid.EndPoint, new SessionPool($"refreshed-{phase}{concurrency}", Math.Max(concurrency, 512), 1)).Tokens, concurrency),
            _ => new PreparedRequests(live.UserIds.Select(CoreRequests.List)),
        };
    }

    private static int Rounds(RunSettings settings) => settings.Smoke ? 1 : 3;

    // More than a silo of two cores has places for.
    private static int Connections(RunSettings settings) => settings.Smoke ? 16 : 3_000;

    private sealed record Measurement(double Peak, FloodFigures Flood, Latencies Before, Latencies During, int RevocationsRefused, double OtherCores);

    /// <summary>So many of another scenario's requests.</summary>
    private sealed class Limited(IScenario scenario, int count) : IScenario
    {
        private int _left = count;

        public int WriteRequest(Connection connection, Span<byte> buffer) => _left-- > 0 ? scenario.WriteRequest(connection, buffer) : 0;

        public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body) => scenario.ReadAnswer(connection, body);
    }
}
