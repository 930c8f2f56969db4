using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Grid.TestKit;
using Grid.Tokens;

namespace Grid.Silo.Tests;

public sealed class ProcessTests : IDisposable
{
    private const string ApiKey = "process-test-key-0123456789";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-process-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_was_acknowledged_is_there_after_kill_9()
    {
        string handle, refresh;
        using (var first = await GridProcess.ServeAsync(_folder))
        {
            var created = await PostAsync(first, "/recipe/session", """{"userId":"u","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}""");
            (handle, refresh) = ($"{created["session"]!["handle"]}", $"{created["refreshToken"]!["token"]}");
            await first.KillAsync();
        }

        using var second = await GridProcess.ServeAsync(_folder);
        Assert.Contains(handle, await second.Http.GetStringAsync($"/recipe/session?sessionHandle={handle}"), StringComparison.Ordinal);
        Assert.Equal("OK", $"{(await PostAsync(second, "/recipe/session/refresh", $$"""{"refreshToken":"{{refresh}}","enableAntiCsrf":false,"useDynamicSigningKey":true}"""))["status"]}");
        Assert.Equal(0, await second.TerminateAsync());
    }

    [Fact]
    public async Task A_second_process_on_the_same_file_is_turned_away_in_one_sentence()
    {
        using var first = await GridProcess.ServeAsync(_folder);

        var (code, output) = await GridProcess.RunAsync(_folder, ["serve", "--Grid:Core:Port=0", "--Grid:Front:Port=0"]);

        Assert.Equal(3, code);
        Assert.Contains("Only one Grid may own a SQLite file", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probes_need_no_key()
    {
        using var grid = await GridProcess.ServeAsync(_folder, ("API_KEYS", ApiKey));

        foreach (var probe in new[] { "live", "ready", "startup" })
        {
            Assert.Equal("Healthy", await grid.Http.GetStringAsync($"/health/{probe}"));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await grid.Http.GetAsync("/apiversion")).StatusCode);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: gzip, chunked")]
    [InlineData("Content-Length: +5")]
    public async Task Framing_is_judged_on_probes_of_both_ports_too(string framing)
    {
        using var grid = await GridProcess.ServeAsync(_folder);
        var front = new Uri(grid.Output.Split("Front for browsers listens on ")[1].Split('\n')[0].Trim());
        foreach (var port in new[] { grid.Http.BaseAddress!.Port, front.Port })
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /health/live HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n0\r\n\r\n"));
            using var reader = new StreamReader(client.GetStream());
            Assert.Equal("HTTP/1.1 400 Bad Request", await reader.ReadLineAsync());
        }
    }

    [Fact]
    public async Task Bad_settings_end_the_start_with_a_code_and_a_sentence()
    {
        var (code, output) = await GridProcess.RunAsync(_folder, ["serve"], ("Grid__Core__Address", "0.0.0.0"));

        Assert.Equal(2, code);
        Assert.StartsWith("grid: The core API would listen on 0.0.0.0 without an API key", output.Trim(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_are_shown_with_origin_and_without_secrets()
    {
        var (code, output) = await GridProcess.RunAsync(_folder, ["config", "show"], ("API_KEYS", ApiKey), ("Grid__Core__Port", "4000"));

        Assert.Equal(0, code);
        Assert.Matches("Grid:Core:Port +4000 +EnvironmentVariables", output);
        Assert.Matches(@"Grid:Core:ApiKeys +\(set\) +SuperTokens environment", output);
        Assert.Matches("Grid:Store:MaxConnections +30 +default", output);
        Assert.DoesNotContain(ApiKey, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrations_are_listed_printed_and_applied()
    {
        var (_, dry) = await GridProcess.RunAsync(_folder, ["migrate", "--dry-run"]);
        var (_, script) = await GridProcess.RunAsync(_folder, ["migrate", "--script"]);
        var (code, applied) = await GridProcess.RunAsync(_folder, ["migrate"]);
        var (_, empty) = await GridProcess.RunAsync(_folder, ["migrate", "--script"]);

        Assert.Contains("pending 0001_sessions", dry, StringComparison.Ordinal);
        Assert.Contains("CREATE TABLE grid_session", script, StringComparison.Ordinal);
        Assert.Equal(0, code);
        Assert.Contains("applied 0001_sessions", applied, StringComparison.Ordinal);
        Assert.Equal("", empty.Trim());
    }

    [Fact]
    public async Task No_secret_that_a_whole_run_mints_is_in_its_log()
    {
        using var grid = await GridProcess.ServeAsync(_folder, ("API_KEYS", ApiKey), ("Grid__Logging__Level", "Trace"));
        grid.Http.DefaultRequestHeaders.Add("api-key", ApiKey);
        List<string> secrets = [ApiKey, TokenHash.Of(ApiKey).ToHex()];
        for (var i = 0; i < 10; i++)
        {
            var created = await PostAsync(grid, "/recipe/session", $$$"""{"userId":"u{{{i}}}","enableAntiCsrf":true,"userDataInJWT":{"secret":"payload-{{{i}}}-secret"},"userDataInDatabase":{}}""");
            secrets.Add($"payload-{i}-secret");
            secrets.AddRange(Tokens(created));
            var old = $"{created["refreshToken"]!["token"]}";
            var body = $$"""{"refreshToken":"{{old}}","enableAntiCsrf":true,"antiCsrfToken":"{{created["antiCsrfToken"]}}","useDynamicSigningKey":true}""";
            var refreshed = await PostAsync(grid, "/recipe/session/refresh", body);
            secrets.AddRange(Tokens(refreshed));
            secrets.AddRange(Tokens(await PostAsync(grid, "/recipe/session/refresh", body)));

            // A theft, a bad body and a bad token are what a service likes to log.
            await PostAsync(grid, "/recipe/session/refresh", body
                .Replace(old, $"{refreshed["refreshToken"]!["token"]}", StringComparison.Ordinal)
                .Replace($"{created["antiCsrfToken"]}", $"{refreshed["antiCsrfToken"]}", StringComparison.Ordinal));
            await grid.Http.PostAsync("/recipe/session", new StringContent($"{{\"accessToken\":\"{refreshed["accessToken"]!["token"]}\""));
            await grid.Http.PostAsync("/recipe/session/verify", new StringContent($$"""{"accessToken":"{{refreshed["accessToken"]!["token"]}}x","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":true}"""));
            await PostAsync(grid, "/recipe/session/remove", $$"""{"userId":"u{{i}}"}""");
        }

        var wrong = new HttpRequestMessage(HttpMethod.Get, "/apiversion") { Headers = { { "authorization", "Bearer wrong-key-0123456789abcd" } } };
        await grid.Http.SendAsync(wrong);
        secrets.Add("wrong-key-0123456789abcd");
        secrets.Add(File.ReadAllText(Path.Combine(_folder, "data", "grid.db.key")).Trim());
        await grid.TerminateAsync();

        Assert.Contains("Refresh token reused", grid.Output, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, grid.Output, StringComparison.Ordinal));
        Assert.DoesNotContain("PRIVATE", grid.Output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Tokens(JsonNode answer)
    {
        if (answer["refreshToken"] is not { } refresh)
        {
            yield break;
        }

        var token = $"{refresh["token"]}";
        var hash1 = TokenHash.Of(token);
        yield return token;
        yield return hash1.ToHex();
        yield return hash1.HashOfHex().ToHex();
        yield return Convert.ToBase64String(hash1.HashOfHex().ToArray());
        yield return $"{answer["accessToken"]!["token"]}".Split('.')[2];
        yield return $"{answer["accessToken"]!["token"]}".Split('.')[1];
        yield return $"{answer["antiCsrfToken"]}";
    }

    private static async Task<JsonNode> PostAsync(GridProcess grid, string path, string body)
    {
        using var answer = await grid.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }
}
