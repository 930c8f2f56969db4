using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.Bench.Protection;

if (args is ["serve", var grid, var cache])
{
    await Server.RunAsync(grid, cache);
    return;
}

var smoke = args.Contains("--smoke");
var rounds = smoke ? 1 : 7;
var seconds = smoke ? 0.3 : 2.0;
var connections = 16;
var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
try
{
    using var silo = await GridServer.StartAsync(folder, postgreSql: null);
    using var redis = await RedisServer.TryStartAsync();
    var start = new ProcessStartInfo("dotnet", [Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.GetCommandLineArgs()[0] : typeof(Server).Assembly.Location, "serve", $"http://{silo.EndPoint}", redis?.Address ?? "127.0.0.1:1"]);
    using var server = await ServerProcess.StartAsync(start, Server.Ready);
    var ports = server.Line("doors ").Split(' ')[1..].Select(int.Parse).ToArray();
    const int Sessions = 64;
    var withToken = await TokenRequestsAsync(silo.EndPoint, Sessions);
    string[] names =
        ["unprotected", "a handler that believes everybody", "AddGrid(), signature only", "AddGrid(), session by lease", "AddCookie()", "AddCookie().AddGridTicketStore()", "AddCookie(), tickets in Redis", "AddJwtBearer()"];
    byte[][][] requests =
        [withToken, withToken, withToken, withToken, await CookieRequestsAsync(ports[4], Sessions), await CookieRequestsAsync(ports[5], Sessions),
            redis is null ? [] : await CookieRequestsAsync(ports[6], Sessions), withToken];
    var doors = Enumerable.Range(0, ports.Length).Where(door => requests[door].Length > 0).ToArray();
    var runs = names.Select(_ => new List<Run>()).ToArray();

    // In turns, so that a busy neighbour meets all alike; the first turn warms up.
    for (var round = 0; round <= rounds; round++)
    {
        foreach (var door in doors)
        {
            var run = await MeasureAsync(server, ports[0], new IPEndPoint(IPAddress.Loopback, ports[door]), requests[door], connections, TimeSpan.FromSeconds(seconds));
            if (round > 0)
            {
                runs[door].Add(run);
            }
        }
    }

    var page = Page(names, runs, rounds, seconds, connections, ProcessUsage.ResidentMegabytes(server.Id));
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

static async Task<byte[][]> TokenRequestsAsync(IPEndPoint core, int sessions)
{
    using var http = new HttpClient { BaseAddress = new Uri($"http://{core}") };
    http.DefaultRequestHeaders.Add("api-key", CoreRequests.ApiKey);
    var requests = new byte[sessions][];
    for (var i = 0; i < sessions; i++)
    {
        using var body = new StringContent($$"""{"userId":"user-{{i}}","userDataInJWT":{"plan":"pro"},"userDataInDatabase":{},"useDynamicSigningKey":true,"enableAntiCsrf":false}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/recipe/session", body);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var token = json.RootElement.GetProperty("accessToken").GetProperty("token").GetString();
        requests[i] = Encoding.ASCII.GetBytes($"GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: sAccessToken={token}\r\n\r\n");
    }

    return requests;
}

static async Task<byte[][]> CookieRequestsAsync(int port, int sessions)
{
    using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    var requests = new byte[sessions][];
    for (var i = 0; i < sessions; i++)
    {
        using var answer = await http.PostAsync($"/sign-in/user-{i}", null);
        var cookie = answer.EnsureSuccessStatusCode().Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        requests[i] = Encoding.ASCII.GetBytes($"GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nCookie: {cookie}\r\n\r\n");
    }

    return requests;
}

static async Task<Run> MeasureAsync(ServerProcess server, int plain, IPEndPoint door, byte[][] requests, int connections, TimeSpan time)
{
    using var http = new HttpClient();
    using var load = new LoadGenerator(door, connections);
    var before = await AllocatedAsync();
    var cpu = ProcessUsage.CpuSeconds(server.Id);
    var latencies = load.Run(new Hello(requests), time);
    cpu = ProcessUsage.CpuSeconds(server.Id) - cpu;
    return new Run(latencies.PerSecond, latencies.Percentile(0.5), latencies.Percentile(0.99), cpu * 1e6 / latencies.Count, (double)(await AllocatedAsync() - before) / latencies.Count);

    async Task<long> AllocatedAsync() => long.Parse(await http.GetStringAsync($"http://127.0.0.1:{plain}/allocated"), CultureInfo.InvariantCulture);
}

static string Page(string[] names, List<Run>[] runs, int rounds, double seconds, int connections, double resident)
{
    var invariant = CultureInfo.InvariantCulture;
    var text = new StringBuilder();
    text.AppendLine(invariant, $"# A protected endpoint against the same endpoint unprotected");
    text.AppendLine().AppendJoin('\n', Machine.Facts()).AppendLine();
    text.AppendLine().AppendLine(invariant, $"One process serves all of them; {connections} connections, one request in flight on each, 64 sessions in turn, each request with its access token in a cookie of about 700 bytes, or with the cookie that the handler made. {rounds} rounds of {seconds} s in alternation after one to warm up; medians, and ratios of medians. Load generator, server and silo share the cores. Command: `dotnet run -c Release --project bench/Protection`. Server memory {resident:F0} MB.");
    text.AppendLine().AppendLine("| endpoint | requests/s | ratio | p50 ms | p99 ms | server CPU µs/request | ratio | bytes allocated/request |").AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|");
    var plain = runs[0];
    for (var i = 0; i < names.Length; i++)
    {
        if (runs[i].Count == 0)
        {
            text.AppendLine(invariant, $"| {names[i]} | left out: no redis-server here ||||||");
            continue;
        }

        text.AppendLine(invariant, $"| {names[i]} | {Of(runs[i], r => r.PerSecond):N0} | {Of(runs[i], r => r.PerSecond) / Of(plain, r => r.PerSecond):F2} | {Of(runs[i], r => r.P50):F3} | {Of(runs[i], r => r.P99):F3} | {Of(runs[i], r => r.Cpu):F1} | {Of(runs[i], r => r.Cpu) / Of(plain, r => r.Cpu):F2} | {Of(runs[i], r => r.Allocated):N0} |");
    }

    return text.ToString();
}

static double Of(List<Run> runs, Func<Run, double> figure) => runs.Select(figure).Order().ElementAt(runs.Count / 2);

internal sealed record Run(double PerSecond, double P50, double P99, double Cpu, double Allocated);

/// <summary>Every request with another session's token, in turn.</summary>
internal sealed class Hello(byte[][] requests) : IScenario
{
    private int _next;

    public int WriteRequest(Connection connection, Span<byte> buffer)
    {
        var request = requests[_next++ % requests.Length];
        request.CopyTo(buffer);
        return request.Length;
    }

    public void ReadAnswer(Connection connection, ReadOnlySpan<byte> body)
    {
        if (!body.SequenceEqual("hello"u8))
        {
            throw new InvalidOperationException("Refused: " + Encoding.UTF8.GetString(body));
        }
    }
}
