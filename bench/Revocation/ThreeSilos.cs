using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;

namespace Grid.Bench.Revocation;

/// <summary>Three real silos over PostgreSQL, healthy: how long a revocation takes to be true everywhere.</summary>
internal sealed class ThreeSilos : IDisposable
{
    private readonly List<ServerProcess> _silos = [];
    private readonly List<HttpClient> _doors = [];
    private int _services;

    public static async Task<ThreeSilos> StartAsync(string folder, string postgreSql)
    {
        var cluster = new ThreeSilos();
        var key = GridServer.NewKey();
        for (var i = 0; i < 3; i++)
        {
            var silo = await GridServer.StartAsync(folder, postgreSql, key);
            cluster._silos.Add(silo);
            cluster._doors.Add(new HttpClient { BaseAddress = new Uri($"http://{silo.EndPoint}"), DefaultRequestHeaders = { { "api-key", CoreRequests.ApiKey } } });
        }

        return cluster;
    }

    public IReadOnlyList<Uri> Doors => [.. _doors.Select(door => door.BaseAddress!)];

    /// <summary>Lets another app in, with a key of its own.</summary>
    public Task LetHostileAppInAsync() => HostileApp.CreateAsync(_doors[0]);

    /// <summary>One session after the other, each known to all three: time to the answer, time that the receipt names, and until the last front refused.</summary>
    /// <param name="count">How many are measured.</param>
    /// <param name="isWatched">Whether each front is asked for it all the while, one request after the other; only then is there a last front.</param>
    /// <param name="warmUp">How many come first and aren't measured: a fresh process still compiles, on the same cores.</param>
    /// <param name="flushes">Where to put how long a flush of 4 KB took right before each.</param>
    public async Task<(Latencies Answer, Latencies Confirmation, Latencies LastFront)> OneByOneAsync(int count, bool isWatched, int warmUp = 20, Latencies? flushes = null)
    {
        var (answers, confirmations, last) = (new Latencies(), new Latencies(), new Latencies());
        using var flush = flushes is null ? null : new Flush();
        for (var i = 0; i < count + warmUp; i++)
        {
            var (handle, token) = await CreateAsync($"one-{i}");
            await Task.WhenAll(_doors.Select(door => VerifyAsync(door, token)));
            var flushed = flush?.Measure();
            var started = Stopwatch.GetTimestamp();
            var refusals = isWatched ? _doors.Select(door => FirstRefusalAsync(door, token)).ToArray() : [];
            var receipt = await PostAsync(_doors[i % 3], "/session/revoke", new JsonObject { ["sessionHandles"] = new JsonArray(handle) });
            var acknowledged = Stopwatch.GetTimestamp();
            Require(receipt);
            var refused = await Task.WhenAll(refusals);
            if (i >= warmUp)
            {
                if (flushed is { } ticks)
                {
                    flushes!.Add(ticks);
                }

                answers.Add(acknowledged - started);
                confirmations.Add((long)((double)receipt["milliseconds"]! * Stopwatch.Frequency / 1000));
                last.Add((isWatched ? refused.Max() : acknowledged) - started);
            }
        }

        return (answers, confirmations, last);
    }

    /// <summary>Connects that many .NET services, shared out among the silos, and waits until revocations wait for each of them.</summary>
    public async Task<ConnectedServices> ConnectServicesAsync(int count)
    {
        var services = await ConnectedServices.StartAsync(Doors, count, (await CreateAsync("services")).Token);
        _services = count;
        for (var i = 0; ; i++)
        {
            var (handle, _) = await CreateAsync($"connecting-{i}");
            var receipt = await PostAsync(_doors[i % 3], "/session/revoke", new JsonObject { ["sessionHandles"] = new JsonArray(handle) });
            if ((int)receipt["holders"]!["confirmed"]! == 3 + count)
            {
                return services;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200));
            if (i == 600)
            {
                throw new InvalidOperationException($"Not all services are holders: {receipt.ToJsonString()}");
            }
        }
    }

    /// <summary>All sessions of one user, a hundred of them known to all three silos.</summary>
    public async Task<(Latencies Answer, Latencies Confirmation)> WholeUserAsync(int sessions, int count)
    {
        var (answers, confirmations) = (new Latencies(), new Latencies());
        for (var i = 0; i < count; i++)
        {
            var user = $"all-{sessions}-{i}";
            var made = new (string Handle, string Token)[sessions];
            await Parallel.ForAsync(0, sessions, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (at, _) => made[at] = await CreateAsync(user, _doors[at % 3]));
            foreach (var (_, token) in made.Take(100))
            {
                await Task.WhenAll(_doors.Select(door => VerifyAsync(door, token)));
            }

            var started = Stopwatch.GetTimestamp();
            var receipt = await PostAsync(_doors[i % 3], "/session/revoke", new JsonObject { ["userId"] = user });
            answers.Add(Stopwatch.GetTimestamp() - started);
            Require(receipt);
            confirmations.Add((long)((double)receipt["milliseconds"]! * Stopwatch.Frequency / 1000));
            if (receipt["sessionHandlesRevoked"]!.AsArray().Count != sessions)
            {
                throw new InvalidOperationException("Not all sessions were ended.");
            }
        }

        return (answers, confirmations);
    }

    public void Dispose()
    {
        _doors.ForEach(door => door.Dispose());
        _silos.ForEach(silo => silo.Dispose());
    }

    // One request in flight, over and over: the time at which the first refused one was sent is when this front had heard, at the latest.
    private static async Task<long> FirstRefusalAsync(HttpClient door, string token)
    {
        while (true)
        {
            var sent = Stopwatch.GetTimestamp();
            if ((string?)(await PostAsync(door, "/recipe/session/verify", Verify(token)))["status"] != "OK")
            {
                return sent;
            }
        }
    }

    private static async Task VerifyAsync(HttpClient door, string token)
    {
        if ((string?)(await PostAsync(door, "/recipe/session/verify", Verify(token)))["status"] != "OK")
        {
            throw new InvalidOperationException("A living session was refused.");
        }
    }

    private static JsonObject Verify(string token) => new() { ["accessToken"] = token, ["enableAntiCsrf"] = false, ["doAntiCsrfCheck"] = false, ["checkDatabase"] = false };

    private void Require(JsonObject receipt)
    {
        if ((int)receipt["holders"]!["confirmed"]! != 3 + _services || (int)receipt["holders"]!["waitedOut"]! != 0)
        {
            throw new InvalidOperationException($"Not a healthy cluster: {receipt.ToJsonString()}");
        }
    }

    private async Task<(string Handle, string Token)> CreateAsync(string user, HttpClient? door = null)
    {
        var made = await PostAsync(door ?? _doors[0], "/recipe/session", new JsonObject
        {
            ["userId"] = user,
            ["enableAntiCsrf"] = false,
            ["useDynamicSigningKey"] = true,
            ["userDataInJWT"] = new JsonObject(),
            ["userDataInDatabase"] = new JsonObject(),
        });
        return ((string)made["session"]!["handle"]!, (string)made["accessToken"]!["token"]!);
    }

    private static async Task<JsonObject> PostAsync(HttpClient door, string path, JsonObject body)
    {
        using var answer = await door.PostAsJsonAsync(path, body);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }
}
