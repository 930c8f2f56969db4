using System.Globalization;
using System.Text;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Report;
using Grid.Bench.Revocation;
using Grid.Bench.Revocation.Simulated;
using Grid.Revocation;
using Grid.TestKit;

if (args.Contains("--hostile"))
{
    await HostilePage.WriteAsync(args);
    return;
}

if (args.Contains("--simulate"))
{
    SimulatedPage.Write(args);
    return;
}

if (args.Contains("--memory"))
{
    await MemoryPage.WriteAsync(args);
    return;
}

var smoke = args.Contains("--smoke");
const int Sessions = 100_000;
var invariant = CultureInfo.InvariantCulture;
var page = new StringBuilder();
page.AppendLine("# Revocation and checks by lease").AppendLine();
page.AppendJoin('\n', Machine.Facts()).AppendLine().AppendLine();
var terms = LeaseTerms.Standard;
page.AppendLine(invariant, $"L = {terms.Lease.TotalSeconds} s, W = {terms.Wait.TotalSeconds} s. Command: `dotnet run -c Release --project bench/Revocation`.").AppendLine();

await using var database = await PostgreSqlServer.TryStartAsync();
var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
try
{
    var figures = await LocalChecks.RunAsync(smoke ? 1_000 : Sessions, TimeSpan.FromSeconds(smoke ? 0.2 : 4), database is null ? null : await database.CreateDatabaseAsync());
    var (empty, tenUsers) = await LocalChecks.RenewalsAsync(smoke ? 1_000 : Sessions);
    page.AppendLine(invariant, $"## One thread, {Sessions:N0} known sessions of 1,000 users").AppendLine();
    page.AppendLine("| check | per second | ratio to the last line | bytes allocated |").AppendLine("|---|--:|--:|--:|");
    foreach (var figure in figures)
    {
        page.AppendLine(invariant, $"| {figure.Name} | {figure.PerSecond:N0} | {figure.PerSecond / figures[^1].PerSecond:N1} | {figure.Allocated:N0} |");
    }

    page.AppendLine().AppendLine(invariant, $"A renewal, once a second, costs a holder of {Sessions:N0} sessions {empty:F1} µs without news and {tenUsers:F1} µs with ten users' revocations (medians), beside one round trip to the store whose work depends on the number of holders, not of sessions.").AppendLine();
    if (database is null)
    {
        page.AppendLine(invariant, $"Left out: three silos ({PostgreSqlServer.Missing}).");
    }
    else
    {
        using var silos = await ThreeSilos.StartAsync(folder, await database.CreateDatabaseAsync());
        page.AppendLine("## Three silos over PostgreSQL, all healthy, over HTTP").AppendLine();
        page.AppendLine("| | n | p50 ms | p99 ms |").AppendLine("|---|--:|--:|--:|");
        var flushes = new Latencies();
        var (answer, confirmation, _) = await silos.OneByOneAsync(smoke ? 10 : 2_000, isWatched: false, warmUp: smoke ? 20 : 1_000, flushes);
        Line("one session: request to acknowledgement", answer);
        Line("of that, commit to the last confirmation (receipt)", confirmation);
        Line("beside it, right before each: one flush of 4 KB to the same disk", flushes);
        var (_, underLoad, lastFront) = await silos.OneByOneAsync(smoke ? 10 : 150, isWatched: true);
        Line("while every front is asked for it without a pause, which keeps both cores busy: commit to the last confirmation", underLoad);
        Line("request to the first refused check on the last front", lastFront);
        foreach (var (sessions, count) in smoke ? [(10, 2)] : new[] { (10, 60), (1_000, 12), (10_000, 3) })
        {
            var (all, confirmed) = await silos.WholeUserAsync(sessions, count);
            Line(string.Create(invariant, $"all {sessions:N0} sessions of a user: request to acknowledgement"), all);
            Line("of that, commit to the last confirmation (receipt)", confirmed);
        }

        var services = smoke ? 6 : 200;
        await using (await silos.ConnectServicesAsync(services))
        {
            flushes = new Latencies();
            (answer, confirmation, _) = await silos.OneByOneAsync(smoke ? 10 : 1_000, isWatched: false, warmUp: smoke ? 20 : 300, flushes);
            Line(string.Create(invariant, $"with {services} connected .NET services, one session: request to acknowledgement by {services + 3} holders"), answer);
            Line("of that, commit to the last confirmation (receipt)", confirmation);
            Line("beside it, right before each: one flush of 4 KB to the same disk", flushes);
        }
    }
}
finally
{
    Directory.Delete(folder, recursive: true);
}

Console.Write(page);
if (Array.IndexOf(args, "--output") is var at and >= 0)
{
    File.WriteAllText(args[at + 1], page.ToString());
}

void Line(string name, Latencies times) => page.AppendLine(invariant, $"| {name} | {times.Count} | {times.Percentile(0.5):F2} | {times.Percentile(0.99):F2} |");
