using System.Globalization;
using System.Runtime.InteropServices;
using Grid.Storage;
using Grid.StoreWrites;

// dotnet run -c Release --project bench/StoreWrites -- [rounds] [Npgsql connection string of an empty database]
// --smoke in place of both: each writer for a moment, to see that it works.
var smoke = args is ["--smoke"];
var rounds = smoke ? 1 : args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 7;
var round = TimeSpan.FromSeconds(smoke ? 0.1 : 1);
var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
Console.WriteLine($"- {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}");
Console.WriteLine($"- {rounds} rounds of {round.TotalSeconds} s; in each round the three take turns, so that other load on the machine meets all of them; every caller waits for its answer before its next write");
Console.WriteLine($"- writes/s, KB/write and × baseline are medians of the rounds (the ratio is taken within each round; its range in brackets), p50 and p99 go over all writes; client and database share this machine; allocations are those of the client process");
try
{
    if (args.Length > 1)
    {
        await CompareAsync(new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = args[1] });
    }
    else
    {
        Console.WriteLine("- PostgreSQL left out: no connection string given");
    }

    await CompareAsync(new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = Path.Combine(folder, "grid.db") });
}
finally
{
    Directory.Delete(folder, recursive: true);
}

async Task CompareAsync(StoreOptions options)
{
    StoreMigrator.For(options).Apply();
    await using IWriter bare = options.Engine == StoreEngine.PostgreSql
        ? new BarePostgreSqlWriter(options.ProviderConnectionString)
        : new BareSqliteWriter(options.ProviderConnectionString);
    await using var grainStorage = await GrainStorageWriter.StartAsync(options);
    await using var grouped = new GroupedWriter(options);

    Console.WriteLine($"\n## {options.Engine}\n\n| write | callers | how | writes/s | p50 ms | p99 ms | KB/write | × baseline |\n|---|---:|---|---:|---:|---:|---:|---:|");
    foreach (var refresh in new[] { false, true })
    {
        foreach (var callers in new[] { 1, 16, 64 })
        {
            IWriter[] writers = [bare, grainStorage, grouped];
            List<Measurement> taken = [];
            foreach (var writer in writers)
            {
                taken.Add(await Measurement.PrepareAsync(writer, refresh, callers));
            }

            for (var turn = 0; turn < rounds; turn++)
            {
                foreach (var measurement in taken)
                {
                    await measurement.TakeRoundAsync(round);
                }
            }

            foreach (var (writer, m) in writers.Zip(taken))
            {
                List<double> ratios = [.. m.Rounds.Zip(taken[0].Rounds, (mine, baseline) => mine.PerSecond / baseline.PerSecond)];
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {(refresh ? "refresh" : "create")} | {callers} | {writer.Name} | {Median(m.Rounds.Select(r => r.PerSecond)):N0} | {m.Milliseconds(0.50):F2} | {m.Milliseconds(0.99):F2} | {Median(m.Rounds.Select(r => r.Bytes)) / 1024:F1} | {Median(ratios):F2} ({ratios.Min():F2}–{ratios.Max():F2}) |"));
            }
        }
    }
}

static double Median(IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    return sorted[sorted.Length / 2];
}
