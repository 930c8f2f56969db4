using System.Globalization;
using System.Text;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.Bench.Services;
using Grid.Client;
using Grid.GrainClient;
using Grid.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A .NET service's calls by the two transports of IGridSessions, against one silo over PostgreSQL.
var smoke = args.Contains("--smoke");
var rounds = smoke ? 1 : 7;
await using var database = await PostgreSqlServer.TryStartAsync();
if (database is null)
{
    Console.WriteLine($"Left out: {PostgreSqlServer.Missing}");
    return;
}

var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
try
{
    var gateway = FreePorts.Next();
    using var silo = await GridServer.StartAsync(folder, await database.CreateDatabaseAsync(), gateway: gateway);
    using var http = Service(services => services.AddGridClient(client => (client.ConnectionUri, client.ApiKey) = (new Uri($"http://{silo.EndPoint}"), CoreRequests.ApiKey)), null);
    using var grains = Service(null, client =>
    {
        client.Gateways.Add($"127.0.0.1:{gateway}");
        client.ApiKey = CoreRequests.ApiKey;
    });
    await http.StartAsync();
    await grains.StartAsync();
    IHost[] hosts = [http, grains];
    var sessions = hosts.Select(host => host.Services.GetRequiredService<IGridSessions>()).ToArray();
    Calls[] calls = [new(sessions[0], sessions[1], silo.Id), new(sessions[1], sessions[0], silo.Id)];
    var runs = Calls.Names.ToDictionary(name => name, _ => new[] { new List<Run>(), new List<Run>() });

    // In turns, so that a busy neighbour meets both alike; the first turn warms up.
    for (var round = 0; round <= rounds; round++)
    {
        foreach (var name in Calls.Names)
        {
            for (var i = 0; i < calls.Length; i++)
            {
                var run = await calls[i].MeasureAsync(name, smoke);
                if (round > 0)
                {
                    runs[name][i].Add(run);
                }
            }
        }
    }

    foreach (var host in hosts)
    {
        await host.StopAsync();
    }

    var page = Page(runs, rounds);
    Console.WriteLine(page);
    if (Array.IndexOf(args, "--output") is var at and >= 0)
    {
        File.WriteAllText(args[at + 1], page);
    }
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static IHost Service(Action<IServiceCollection>? services, Action<GridGrainClientOptions>? grains)
{
    var builder = Host.CreateEmptyApplicationBuilder(null);
    services?.Invoke(builder.Services);
    if (grains is not null)
    {
        builder.AddGridGrainClient(grains);
    }

    return builder.Build();
}

static string Page(Dictionary<string, List<Run>[]> runs, int rounds)
{
    var invariant = CultureInfo.InvariantCulture;
    var text = new StringBuilder();
    text.AppendLine("# A .NET service's calls: HTTP and Orleans");
    text.AppendLine().AppendJoin('\n', Machine.Facts()).AppendLine();
    text.AppendLine().AppendLine(invariant, $"One silo over PostgreSQL in a process of its own; `IGridSessions` of both packages in one other process, {Calls.Workers} calls at a time. {rounds} rounds in alternation after one to warm up; medians, and ratios of medians (above 1: the grain client is faster). Service, silo and database share the cores. Command: `dotnet run -c Release --project bench/Services`.");
    text.AppendLine().AppendLine("| call | by | calls/s | ratio | p50 ms | p99 ms | silo CPU µs/call | bytes allocated in the service/call |").AppendLine("|---|---|--:|--:|--:|--:|--:|--:|");
    foreach (var (name, both) in runs)
    {
        for (var i = 0; i < both.Length; i++)
        {
            text.AppendLine(invariant, $"| {name} | {(i == 0 ? "HTTP" : "Orleans")} | {Of(both[i], r => r.PerSecond):N0} | {Of(both[i], r => r.PerSecond) / Of(both[0], r => r.PerSecond):F2} | {Of(both[i], r => r.P50):F3} | {Of(both[i], r => r.P99):F3} | {Of(both[i], r => r.Cpu):F1} | {Of(both[i], r => r.Allocated):N0} |");
        }
    }

    return text.ToString();
}

static double Of(List<Run> runs, Func<Run, double> figure) => runs.Select(figure).Order().ElementAt(runs.Count / 2);
