using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Grid.TestKit;
using Npgsql;

namespace Grid.Silo.Tests;

/// <summary>Silos over one PostgreSQL, and how many connections each of them has there.</summary>
public sealed class DatabaseConnectionTests : IDisposable
{
    private const int Budget = 10;
    private const int Apps = 6;
    private const int Samples = 10;

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-connections-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_silo_never_has_more_connections_than_its_budget_whatever_is_asked_of_it_and_when_another_dies()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var database = await server!.CreateDatabaseAsync();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        using var silo = await ServeAsync("first", Budget);
        using var other = await ServeAsync("second", 150);

        Assert.Contains("At most 10 connections to PostgreSQL: 2 for sessions, 3 for leases, 2 for membership, 2 for grains, 1 beside the pools. With them the silos known (1) need 10, and PostgreSQL has 197", silo.Output, StringComparison.Ordinal);
        Assert.Contains("the silos known (2) may need 300, but PostgreSQL has 197 (by max_connections)", other.Output, StringComparison.Ordinal);

        using var over = new CancellationTokenSource();
        var counting = MostAsync(database, "first", over.Token);
        await Task.WhenAll(Enumerable.Range(0, Apps).Select(app => UntilDoneAsync(silo, HttpMethod.Put, "/recipe/multitenancy/app/v2", $$"""{"appId":"app{{app}}"}""")));
        await BurstAsync(silo);

        // Its grains move to the first one, and are read there.
        await other.KillAsync();
        await BurstAsync(silo);

        // Nothing is stuck: whatever waited has got its connection, or was told that there is none.
        await UntilDoneAsync(silo, HttpMethod.Post, "/recipe/session", NewSession("last"));
        await over.CancelAsync();
        var (most, parts) = await counting;

        Assert.True(most <= Budget, $"{most} connections at once: {string.Join(", ", parts)}");
        Assert.Contains("first grains", parts.Keys);
        Assert.Contains("first membership", parts.Keys);

        Task<GridProcess> ServeAsync(string name, int connections) => GridProcess.ServeAsync(
            _folder,
            ("Grid__Store__ConnectionString", new NpgsqlConnectionStringBuilder(database) { ApplicationName = name }.ToString()),
            ("Grid__Store__MaxConnections", $"{connections}"),
            ("Grid__Revocation__Lease", "3s"),
            ("Grid__Keys__EncryptionKey", key));
    }

    /// <summary>Sessions made and ended, and states of grains written and read, all at once.</summary>
    private static Task BurstAsync(GridProcess silo) => Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
    {
        // Each app's keys are a state, too.
        var prefix = i < Apps ? $"/appid-app{i}" : "";
        await SendAsync(silo, HttpMethod.Post, $"{prefix}/recipe/session", NewSession($"u{i % 50}"));
        await SendAsync(silo, HttpMethod.Post, $"{prefix}/recipe/session/remove", $$"""{"userId":"u{{i % 50}}"}""");
    }));

    private static async Task UntilDoneAsync(GridProcess silo, HttpMethod method, string path, string body)
    {
        for (var patience = Stopwatch.StartNew(); !await SendAsync(silo, method, path, body);)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromMinutes(2), $"{path} is answered 503 for ever: {silo.Output}");
            await Task.Delay(100);
        }
    }

    // Whether it was done; if not, that was said.
    private static async Task<bool> SendAsync(GridProcess silo, HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("cdi-version", "5.6");
        using var answer = await silo.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{path} answered {answer.StatusCode}: {text}");
        return answer.StatusCode == HttpStatusCode.OK;
    }

    private static string NewSession(string user) =>
        $$$"""{"userId":"{{{user}}}","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""";

    private static async Task<(int Most, Dictionary<string, int> Parts)> MostAsync(string database, string name, CancellationToken stop)
    {
        await using var watch = new NpgsqlConnection(database);
        await watch.OpenAsync(CancellationToken.None);
        Dictionary<string, int> parts = [];
        Queue<int> last = [];
        var most = 0;
        while (!stop.IsCancellationRequested)
        {
            await using var count = new NpgsqlCommand("SELECT application_name, count(*)::int FROM pg_stat_activity WHERE application_name LIKE $1 || '%' GROUP BY 1", watch)
            {
                Parameters = { new() { Value = name } },
            };
            await using var rows = await count.ExecuteReaderAsync(CancellationToken.None);
            var all = 0;
            while (await rows.ReadAsync(CancellationToken.None))
            {
                all += rows.GetInt32(1);
                parts[rows.GetString(0)] = Math.Max(parts.GetValueOrDefault(rows.GetString(0)), rows.GetInt32(1));
            }

            // A connection that is given up goes before its process on the server notices; what is too much for the budget would stay in its pool.
            last.Enqueue(all);
            if (last.Count == Samples)
            {
                most = Math.Max(most, last.Min());
                last.Dequeue();
            }

            await Task.Delay(5, CancellationToken.None);
        }

        return (most, parts);
    }
}
