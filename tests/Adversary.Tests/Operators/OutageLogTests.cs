using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Operators;

/// <summary>The database goes away under load: the log stays readable, and the disk is not the next thing that fails.</summary>
public sealed class OutageLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-outage-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_thousand_refused_requests_are_a_few_lines_that_say_when_it_began_how_many_and_when_it_was_over()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "");
        var database = await server.CreateDatabaseAsync();
        using var grid = await GridProcess.ServeAsync(
            _folder, ("Grid__Store__ConnectionString", database), ("Grid__Keys__EncryptionKey", Convert.ToBase64String(new byte[32])), ("Grid__Front__FirstPage", "true"));
        using var browser = new HttpClient { BaseAddress = new Uri(grid.Output.Split("Front for browsers listens on ")[1].Split('\n')[0].Trim()) };
        var sessions = new ConcurrentBag<(string Handle, string Access, string Refresh)>();
        for (var i = 0; i < 20; i++)
        {
            sessions.Add(await grid.Http.CreateAsync($"u{i}"));
        }

        var (_, access, refresh) = sessions.First();
        await server.CrashAsync();
        var before = grid.Output.Length;
        var refused = 0;

        // Past the lease too, when nothing is vouched for any more.
        var outage = Stopwatch.StartNew();
        await Parallel.ForAsync(0, 100_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            if (outage.Elapsed > TimeSpan.FromSeconds(20))
            {
                return;
            }

            var code = (i % 6) switch
            {
                0 => (await grid.Http.CallAsync("/recipe/session", $$$"""{"userId":"new{{{i}}}","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""")).Code,
                1 => (await grid.Http.CallAsync("/recipe/session/refresh", $$"""{"refreshToken":"{{refresh}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""")).Code,
                2 => (await grid.Http.CallAsync("/recipe/session/remove", $$"""{"userId":"u{{i}}"}""")).Code,
                3 => (await grid.Http.CallAsync("/recipe/session/verify", $$"""{"accessToken":"{{access}}","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":true}""")).Code,
                4 => (await grid.Http.CallAsync("/session/ticket", $$"""{"userId":"u{{i}}"}""")).Code,
                _ => await RefreshAtFrontAsync(browser, refresh),
            };
            if (code == HttpStatusCode.ServiceUnavailable)
            {
                Interlocked.Increment(ref refused);
            }
        });
        await server.RestartAsync();
        await Task.Delay(TimeSpan.FromSeconds(12));

        var lines = grid.Output[before..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(refused >= 1_000, $"Only {refused} were refused.");
        Assert.True(lines.Length < 60, $"{refused} refused, {lines.Length} lines:\n{string.Join('\n', lines.Take(100))}");
        Assert.InRange(lines.Sum(line => line.Length), 0, 200_000);
        foreach (var id in new[] { "[2101]", "[2102]", "[2103]", "[3100]", "[3102]", "[3103]", "[4000]", "[4010]", "[4011]" })
        {
            Assert.Contains(lines, line => line.Contains(id, StringComparison.Ordinal));
        }
    }

    private static async Task<HttpStatusCode> RefreshAtFrontAsync(HttpClient browser, string refresh)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/session/refresh") { Headers = { { "st-auth-mode", "header" }, { "Authorization", $"Bearer {refresh}" } } };
        using var answer = await browser.SendAsync(request);
        return answer.StatusCode;
    }
}
