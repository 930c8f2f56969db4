using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Grid.Bench.Http.Load;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;
using Grid.TestKit;

namespace Grid.Bench.Scale;

/// <summary>What a connected service costs a silo and the database: its renewals, and its part in each revocation.</summary>
internal static class HoldersRun
{
    public static async Task RunAsync(StringBuilder page, PostgreSqlServer server, int postmaster, string folder, ScaleSettings settings)
    {
        using var silo = await GridServer.StartAsync(folder, await server.CreateDatabaseAsync(), settings: new Dictionary<string, string>
        {
            ["Grid__Revocation__MaxServices"] = "100000",
            ["Grid__Revocation__MaxServicesPerApp"] = "100000",
        });
        using var http = new HttpClient { BaseAddress = new Uri($"http://{silo.EndPoint}"), DefaultRequestHeaders = { { "api-key", CoreRequests.ApiKey } } };
        await using var fleet = new HolderFleet();
        var seconds = settings.Smoke ? 1 : 8;
        var revocations = settings.Smoke ? 5 : 60;
        await RevokeAsync("warm", revocations);
        List<Sample> samples = [];
        foreach (var count in settings.Smoke ? [0, settings.Holders] : new[] { 0, settings.Holders / 4, settings.Holders })
        {
            await fleet.GrowAsync(silo, count);

            // Their first renewals and what a process compiles at first shall be over.
            await RevokeAsync($"warm{count}", revocations / 4);
            await Task.Delay(TimeSpan.FromSeconds(settings.Smoke ? 0 : 4));
            var rest = Usage();
            var began = Stopwatch.GetTimestamp();
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            var resting = (Usage() - rest).Per(Stopwatch.GetElapsedTime(began).TotalSeconds);
            var users = Make($"u{count}", revocations);
            var before = Usage();
            began = Stopwatch.GetTimestamp();
            var times = await RevokeAllAsync(users, count + 1);
            var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var revoking = (Usage() - before - resting.Times(took)).Per(revocations);
            samples.Add(new Sample(count, resting, revoking, times));
        }

        page.AppendLine("## What a connected service costs").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"One silo over PostgreSQL; services are WebSockets of this process that renew every second and confirm at once. {seconds} s without requests, then {revocations} revocations one after the other. The last line: what one more service adds, by the difference of the first and the last.").AppendLine();
        page.AppendLine("| services | at rest: silo, % of a core | database, % of a core | a revocation: silo CPU ms | database CPU ms | commit to acknowledgement p50 ms | p99 ms |").AppendLine("|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var sample in samples)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| {sample.Services:N0} | {100 * sample.Resting.Silo:F1} | {100 * sample.Resting.Database:F1} | {1000 * sample.Revoking.Silo:F2} | {1000 * sample.Revoking.Database:F2} | {sample.Times.Percentile(0.5):F2} | {sample.Times.Percentile(0.99):F2} |");
        }

        var (first, last) = (samples[0], samples[^1]);
        var (renewal, part) = ((last.Resting - first.Resting).Per(last.Services), (last.Revoking - first.Revoking).Per(last.Services));
        page.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"One service: a renewal {1e6 * renewal.Silo:F1} µs of the silo and {1e6 * renewal.Database:F1} µs of the database, a second; its part in a revocation {1e6 * part.Silo:F1} µs of the silo and {1e6 * part.Database:F1} µs of the database.").AppendLine();

        Cost Usage() => new(ProcessUsage.CpuSeconds(silo.Id), ProcessUsage.PostgreSqlCpuSeconds(postmaster));

        string[] Make(string prefix, int count) => [.. FilledStore.Prepare(silo, new SessionPool(prefix, count, 1)).UserIds];

        Task RevokeAsync(string prefix, int count) => RevokeAllAsync(Make(prefix, count), holders: null);

        async Task<Latencies> RevokeAllAsync(string[] users, int? holders)
        {
            var times = new Latencies();
            foreach (var user in users)
            {
                using var answer = await http.PostAsJsonAsync("/session/revoke", new JsonObject { ["userId"] = user });
                answer.EnsureSuccessStatusCode();
                var receipt = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
                if (holders is { } all && !settings.Smoke && (int)receipt["holders"]!["confirmed"]! != all)
                {
                    throw new InvalidOperationException($"Not all {all} confirmed: {receipt.ToJsonString()}");
                }

                times.Add((long)((double)receipt["milliseconds"]! * Stopwatch.Frequency / 1000));
            }

            return times;
        }
    }

    private sealed record Sample(int Services, Cost Resting, Cost Revoking, Latencies Times);

    /// <summary>Seconds of processor time.</summary>
    private readonly record struct Cost(double Silo, double Database)
    {
        public static Cost operator -(Cost one, Cost other) => new(one.Silo - other.Silo, one.Database - other.Database);

        public Cost Per(double count) => new(Silo / count, Database / count);

        public Cost Times(double count) => new(Silo * count, Database * count);
    }
}
