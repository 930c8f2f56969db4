using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Report;
using Grid.TestKit;

namespace Grid.Bench.Revocation;

/// <summary>What revocations take while another app's services do their worst, and what they take without; in turns, so that the machine's moods hit both.</summary>
internal static class HostilePage
{
    public static async Task WriteAsync(string[] args)
    {
        var smoke = args.Contains("--smoke");
        var (rounds, count) = smoke ? (1, 30) : (5, 400);
        var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
        await using var database = await PostgreSqlServer.TryStartAsync() ?? throw new InvalidOperationException(PostgreSqlServer.Missing);
        var (alone, busy, flooded) = (new Latencies(), new Latencies(), new Latencies());
        List<string> reports = [];
        try
        {
            using var silos = await ThreeSilos.StartAsync(folder, await database.CreateDatabaseAsync());
            await silos.LetHostileAppInAsync();
            for (var round = 0; round <= rounds; round++)
            {
                if (round == 1)
                {
                    // The first round only warmed up.
                    (alone, busy, flooded) = (new Latencies(), new Latencies(), new Latencies());
                    reports.Clear();
                }

                alone.Add((await silos.OneByOneAsync(count, isWatched: false)).Answer);
                foreach (var (figures, floods) in new[] { (busy, false), (flooded, true) })
                {
                    await using (var hostile = HostileApp.Start(silos.Doors, floods))
                    {
                        // Until it has taken every place that it gets.
                        await Task.Delay(TimeSpan.FromSeconds(smoke ? 2 : 8));
                        figures.Add((await silos.OneByOneAsync(count, isWatched: false)).Answer);
                        reports.Add($"{(floods ? "with looks" : "without looks")}: {hostile.Report}");
                        await Console.Error.WriteLineAsync($"{reports[^1]}; p50 {figures.Percentile(0.5):F2}, p99 {figures.Percentile(0.99):F2}");
                    }

                    // For its rows to go.
                    await Task.Delay(TimeSpan.FromSeconds(smoke ? 2 : 16));
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        var page = new StringBuilder("# Revocation while another app's services do their worst\n\n");
        page.AppendJoin('\n', Machine.Facts()).AppendLine().AppendLine();
        page.AppendLine("Three silos over PostgreSQL; one session after the other is revoked, request to acknowledgement. Another app with a valid key opens as many services as it is let, which renew and never confirm, others that register and vanish again and again, and revokes its own users all the while; in the last line it also asks for sessions that are not there as fast as it is answered. The adversary runs on the same cores. Command: `dotnet run -c Release --project bench/Revocation -- --hostile`.").AppendLine();
        page.AppendLine("| | n | p50 ms | p99 ms | p99 to the first line |").AppendLine("|---|--:|--:|--:|--:|");
        foreach (var (name, times) in new[] { ("alone", alone), ("services that never confirm, come and go, own revocations", busy), ("and a flood of looks", flooded) })
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {times.Count} | {times.Percentile(0.5):F2} | {times.Percentile(0.99):F2} | {times.Percentile(0.99) / alone.Percentile(0.99):F2} |");
        }

        page.AppendLine().AppendLine("What the adversary came to, block by block:").AppendLine();
        page.AppendJoin('\n', reports.Select(report => $"- {report}")).AppendLine();
        Console.Write(page);
        if (Array.IndexOf(args, "--output") is var at and >= 0)
        {
            File.WriteAllText(args[at + 1], page.ToString());
        }
    }
}
