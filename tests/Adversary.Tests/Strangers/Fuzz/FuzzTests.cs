using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Strangers.Fuzz;

/// <summary>
/// Spoiled requests by the ten thousand, from one who holds another app's key, at core, front and the holders' WebSocket, while a neighbour's
/// session is checked. <c>GRID_FUZZ_SEED</c> and <c>GRID_FUZZ_REQUESTS</c> change what is sent.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private const string BaseKey = "the-key-of-the-base-app-0001";
    private const string FuzzersKey = "the-key-of-the-fuzzers-app-1";
    private const string FuzzersApp = "/appid-fuzz";

    // Services that vanish all the time hold up the revocations of their own app, and of no other.
    private const string ServicesApp = "/appid-fuzz-services";
    private const int Senders = 8;
    private const long MaxGrowth = 200L * 1024 * 1024;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(3);

    // A machine that runs the whole suite may hold up anybody for a while: only what comes again is a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-fuzz-").FullName;
    private readonly List<string> _findings = [];
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private int _left = Setting("GRID_FUZZ_REQUESTS", 20_000);
    private int _sent;
    private int _slow;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Spoiled_requests_harm_neither_the_process_nor_a_neighbours_session()
    {
        var seed = Setting("GRID_FUZZ_SEED", 20_261_125);

        using var grid = await GridProcess.ServeAsync(_folder, ("API_KEYS", BaseKey));
        await PutAppAsync(grid, FuzzersApp);
        await PutAppAsync(grid, ServicesApp);
        var victim = await grid.Http.CreateAsync("victim", apiKey: BaseKey);
        var own = await grid.Http.CreateAsync("u", FuzzersApp, FuzzersKey);
        var corpus = new Corpus(FuzzersApp, FuzzersKey, own.Handle, own.Access, own.Refresh);
        using var front = grid.FrontHttp();
        var doors = new Doors(grid.Http.BaseAddress!.Port, front.BaseAddress!.Port);

        // Caches fill and code is compiled before the first look at the memory.
        await SendAllAsync(corpus, doors, seed, Math.Min(_left / 4, 5_000));
        var before = ResidentBytes(grid);
        using var over = new CancellationTokenSource();
        var checks = CheckVictimAsync(grid, victim.Access, over.Token);
        await SendAllAsync(corpus, doors, seed + 1, _left);
        await over.CancelAsync();
        var checkedTimes = await checks;

        var growth = ResidentBytes(grid) - before;
        TestContext.Current.SendDiagnosticMessage($"{_sent} requests, seed {seed}; grew by {growth / 1024 / 1024} MB; {checkedTimes} checks of the neighbour; {_slow} slow; answers: {string.Join(", ", _answers.OrderBy(answer => answer.Key).Select(answer => $"{answer.Key} × {answer.Value}"))}.");

        Assert.True(checkedTimes > 5, $"The neighbour's session was checked {checkedTimes} times.");
        Assert.Equal("OK", await grid.Http.VerifyAsync(victim.Access, apiKey: BaseKey));
        Assert.Empty(_findings);

        // What never gets past the first check tries nothing.
        Assert.True(_answers.GetValueOrDefault("200") > _sent / 20, $"Only {_answers.GetValueOrDefault("200")} of {_sent} requests were served.");
        Assert.True(_slow <= _sent / 2_000, $"{_slow} of {_sent} requests took more than {Hang.TotalSeconds} s.");
        Assert.DoesNotContain("fail: ", grid.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("crit: ", grid.Output, StringComparison.Ordinal);
        Assert.False(grid.HasExited);
        Assert.True(growth < MaxGrowth, $"The process grew by {growth / 1024 / 1024} MB over {_sent} requests.");
    }

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : standard;

    private static async Task PutAppAsync(GridProcess grid, string app)
    {
        using var put = new HttpRequestMessage(HttpMethod.Put, "/recipe/multitenancy/app/v2")
        {
            Content = new StringContent($$$"""{"appId":"{{{app["/appid-".Length..]}}}","coreConfig":{"api_keys":"{{{FuzzersKey}}}"}}""", Encoding.UTF8, "application/json"),
        };
        put.Headers.Add("api-key", BaseKey);
        using var answer = await grid.Http.SendAsync(put);
        answer.EnsureSuccessStatusCode();
    }

    private static long ResidentBytes(GridProcess grid)
    {
        var line = File.ReadLines($"/proc/{grid.Id}/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private async Task<int> CheckVictimAsync(GridProcess grid, string access, CancellationToken over)
    {
        var times = 0;
        while (!over.IsCancellationRequested)
        {
            var patience = Stopwatch.StartNew();
            var verdict = await grid.Http.VerifyAsync(access, apiKey: BaseKey);
            times++;
            if (verdict != "OK")
            {
                Found($"the neighbour's session was '{verdict}'");
            }
            else if (patience.Elapsed > Hang)
            {
                Interlocked.Increment(ref _slow);
            }

            await Task.Delay(100, CancellationToken.None);
        }

        return times;
    }

    private async Task SendAllAsync(Corpus corpus, Doors doors, int seed, int count)
    {
        _left -= count;
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var random = new Random(HashCode.Combine(seed, sender) & int.MaxValue);
            var mutations = new Mutations(random);
            for (var i = count / Senders; i > 0;)
            {
                if (random.Next(30) == 0)
                {
                    i -= await SendMessagesAsync(corpus, doors, mutations, Math.Min(i, random.Next(1, 20)));
                }
                else
                {
                    await SendOneAsync(mutations.Pick(corpus.Samples), doors, mutations);
                    i--;
                }
            }
        })));
    }

    private async Task SendOneAsync(Sample sample, Doors doors, Mutations mutations)
    {
        var request = mutations.Spoil(sample);
        var patience = Stopwatch.StartNew();
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
            using var limit = new CancellationTokenSource(Patience);
            await socket.ConnectAsync("127.0.0.1", doors.Port(sample.Door), limit.Token);
            for (var rest = request.AsMemory(); rest.Length > 0;)
            {
                rest = rest[await socket.SendAsync(rest, limit.Token)..];
            }

            // Where more would have to follow, the server hears that nothing will; it owes no answer then.
            if (!RawHttp.IsWhole(request))
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            Judge(request, await ReadAsync(socket, request.AsSpan().StartsWith("HEAD "u8), limit.Token));
        }
        catch (SocketException)
        {
            // Refused, or closed while it was still being sent: both are answers to garbage.
        }
        catch (OperationCanceledException)
        {
            Found($"no answer within {Patience.TotalSeconds} s to {Text(request)}");
        }

        Count(patience);
    }

    private async Task<int> SendMessagesAsync(Corpus corpus, Doors doors, Mutations mutations, int count)
    {
        var patience = Stopwatch.StartNew();
        using var limit = new CancellationTokenSource(Patience);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("api-key", FuzzersKey);
        try
        {
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{doors.Core}{ServicesApp}/session/holder"), limit.Token);
            var answers = DrainAsync(socket, limit.Token);
            for (var i = 0; i < count && socket.State == WebSocketState.Open; i++)
            {
                await socket.SendAsync(mutations.Spoil(mutations.Pick(corpus.Messages)), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
            }

            socket.Abort();
            await answers;
        }
        catch (Exception over) when (!limit.IsCancellationRequested && over is WebSocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            if (over.InnerException is HttpRequestException { StatusCode: { } code } && (int)code is >= 500 and not 503)
            {
                Found($"the WebSocket was answered {(int)code}");
            }
        }
        catch (OperationCanceledException)
        {
            Found("the WebSocket hung");
        }

        for (var i = 0; i < count; i++)
        {
            Count(patience);
        }

        return count;
    }

    private static async Task DrainAsync(ClientWebSocket socket, CancellationToken limit)
    {
        var buffer = new byte[4096];
        try
        {
            while ((await socket.ReceiveAsync(buffer.AsMemory(), limit)).MessageType != WebSocketMessageType.Close)
            {
                // Whatever it says.
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private static async Task<string> ReadAsync(Socket socket, bool toHead, CancellationToken limit)
    {
        var answer = "";
        var buffer = new byte[8192];
        int read;
        while (!RawHttp.IsOver(answer, toHead) && (read = await socket.ReceiveAsync(buffer, limit)) > 0)
        {
            answer += Encoding.Latin1.GetString(buffer, 0, read);
        }

        return answer;
    }

    private void Judge(byte[] request, string text)
    {
        var status = text.StartsWith("HTTP/1.", StringComparison.Ordinal) ? text.Split(' ', 3)[1] : "none";
        _answers.AddOrUpdate(status, 1, (_, count) => count + 1);
        // 505: Kestrel's answer to "HTTP/9.9", before anything of ours.
        if (status.StartsWith('5') && status != "505" && !(status == "503" && text.Contains("Retry-After:", StringComparison.OrdinalIgnoreCase)))
        {
            Found($"{status} to {Text(request)}: {text[..Math.Min(text.Length, 600)]}");
        }
        else if (text.Contains("   at Grid.", StringComparison.Ordinal) || text.Contains("Exception:", StringComparison.Ordinal))
        {
            Found($"a stack trace to {Text(request)}");
        }
    }

    private void Count(Stopwatch patience)
    {
        Interlocked.Increment(ref _sent);
        if (patience.Elapsed > Hang)
        {
            Interlocked.Increment(ref _slow);
        }
    }

    private void Found(string what)
    {
        lock (_findings)
        {
            if (_findings.Count < 20)
            {
                _findings.Add(what);
            }
        }
    }

    private static string Text(byte[] request) => Encoding.Latin1.GetString(request, 0, Math.Min(request.Length, 1_500));

    private sealed record Doors(int Core, int Front)
    {
        public int Port(Door door) => door == Door.Core ? Core : Front;
    }
}
