using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grid.Adversary.Tests.Operators;
using Grid.TestKit;
using Npgsql;

namespace Grid.Adversary.Tests.Strangers;

/// <summary>Asks the probes, which need no key, as often as he can and for all that they tell.</summary>
public sealed class ProbeTests
{
    [Fact]
    public async Task Details_are_told_on_the_cores_port_only()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        var silo = await installation.ServeAsync(Installation.NewKey());
        using var front = silo.FrontHttp();

        foreach (var probe in new[] { "/health/ready", "/health/ready?verbose", "/health/startup?verbose=1", "/health/live?verbose" })
        {
            Assert.Equal("Healthy", await front.GetStringAsync(probe));
        }

        Assert.Equal("Healthy", await silo.Http.GetStringAsync("/health/ready"));
        var told = JsonNode.Parse(await silo.Http.GetStringAsync("/health/ready?verbose"))!;
        Assert.Equal("Healthy", $"{told["status"]}");
        Assert.Equal(["store", "writes", "holder", "clock", "keys", "stopping"], told["checks"]!.AsObject().Select(check => check.Key));
        Assert.All(told["checks"]!.AsObject(), check => Assert.NotNull(check.Value!["since"]));
    }

    [Fact]
    public async Task A_stored_key_that_does_not_open_is_named_there_and_the_silo_serves_on()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        // A byte in the middle of the app's keys.
        var silo = await ServeWithSpoiltKeysAsync(
            installation, "UPDATE OrleansStorage SET PayloadBinary = CAST(substr(PayloadBinary, 1, 600) || x'00112233' || substr(PayloadBinary, 605) AS BLOB) WHERE GrainTypeString = 'keys'");

        await silo.Http.CreateAsync("bob");
        using var ready = await silo.Http.GetAsync("/health/ready?verbose");
        var keys = JsonNode.Parse(await ready.Content.ReadAsStringAsync())!["checks"]!["keys"]!;
        Assert.Equal((HttpStatusCode.OK, "Degraded"), (ready.StatusCode, $"{keys["status"]}"));
        Assert.Matches("1 stored keys cannot be opened: [sd]-.* of app public", $"{keys["reason"]}");
        Assert.Contains("of app public cannot be decrypted", silo.Output, StringComparison.Ordinal);

        var lost = $"{keys["reason"]}".Split("opened: ")[1].Split(' ')[0];
        var (code, _) = await silo.Http.CallAsync("/session/revoke", $$"""{"signingKey":"{{lost}}"}""");
        Assert.Equal(HttpStatusCode.OK, code);
        await silo.Http.CreateAsync("carol");
        Assert.Equal("Healthy", await silo.Http.GetStringAsync("/health/ready"));
    }

    [Fact]
    public async Task When_no_app_is_left_whose_refresh_tokens_can_be_read_the_silo_is_not_ready_until_the_key_is_replaced()
    {
        await using var installation = await Installation.NewAsync(postgreSql: false);
        // Inside of the secret that follows the name of the app's key of refresh tokens.
        var silo = await ServeWithSpoiltKeysAsync(
            installation, "UPDATE OrleansStorage SET PayloadBinary = CAST(substr(PayloadBinary, 1, instr(PayloadBinary, x'6d2d') + 79) || x'00112233' || substr(PayloadBinary, instr(PayloadBinary, x'6d2d') + 84) AS BLOB) WHERE GrainTypeString = 'keys'");

        var (code, keys) = await ReadyAsync(silo, "keys");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (code, $"{keys["status"]}"));
        Assert.Matches("1 stored keys cannot be opened: m-.* of app public. No app can create or refresh sessions", $"{keys["reason"]}");

        // Another app has a key of its own: its sessions are served.
        using var app = new StringContent("""{"appId":"other"}""", Encoding.UTF8, "application/json");
        using var made = await silo.Http.PutAsync("/recipe/multitenancy/app/v2", app);
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        await EmbeddedFile.UntilAsync(async () => (await ReadyAsync(silo, "keys")).Code == HttpStatusCode.OK);
        Assert.Equal("Degraded", $"{(await ReadyAsync(silo, "keys")).Check["status"]}");

        var lost = $"{keys["reason"]}".Split("opened: ")[1].Split(' ')[0];
        Assert.Equal(HttpStatusCode.OK, (await silo.Http.CallAsync("/session/revoke", $$"""{"signingKey":"{{lost}}"}""")).Code);

        // Nobody but probes asks.
        await EmbeddedFile.UntilAsync(async () => $"{(await ReadyAsync(silo, "keys")).Check["status"]}" == "Healthy");
    }

    [Fact]
    public async Task A_database_that_becomes_read_only_is_named_with_the_reason_and_since_when_and_passes()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        var silo = await installation.ServeAsync(Installation.NewKey());
        var (_, before) = await ReadyAsync(silo, "writes");
        Assert.Equal("Healthy", $"{before["status"]}");

        await ReadOnlyAsync(installation, "on");

        // No probe and no request comes meanwhile. Other checks may turn red before it, while the connections are gone.
        await EmbeddedFile.UntilAsync(() => Task.FromResult(Regex.IsMatch(silo.Output, "Not ready: .*writes: PostgreSQL is read-only")));
        var noticed = TimeProvider.System.GetUtcNow();
        var (code, writes) = await ReadyAsync(silo, "writes");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (code, $"{writes["status"]}"));
        Assert.Contains("read-only", $"{writes["reason"]}", StringComparison.Ordinal);
        var since = writes["since"]!.GetValue<DateTimeOffset>();
        Assert.InRange(since, before["since"]!.GetValue<DateTimeOffset>().AddTicks(1), noticed);

        await ReadOnlyAsync(installation, "off");
        await EmbeddedFile.UntilAsync(async () => (await ReadyAsync(silo, "writes")).Code == HttpStatusCode.OK);
        await EmbeddedFile.UntilAsync(() => Task.FromResult(silo.Output.Contains("Ready again", StringComparison.Ordinal)));
        Assert.DoesNotContain("Microsoft.Extensions.Diagnostics.HealthChecks", silo.Output, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Code, JsonNode Check)> ReadyAsync(GridProcess silo, string check)
    {
        using var ready = await silo.Http.GetAsync("/health/ready?verbose");
        return (ready.StatusCode, JsonNode.Parse(await ready.Content.ReadAsStringAsync())!["checks"]![check]!);
    }

    private static async Task ReadOnlyAsync(Installation installation, string value)
    {
        await using var connection = new NpgsqlConnection(installation.Database + ";Options=-c default_transaction_read_only=off");
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new($"ALTER DATABASE {connection.Database} SET default_transaction_read_only = {value}"));
        batch.BatchCommands.Add(new("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"));
        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>A silo on the database of one that made keys, of which a statement has changed some bytes.</summary>
    private static async Task<GridProcess> ServeWithSpoiltKeysAsync(Installation installation, string spoil)
    {
        var key = Installation.NewKey();
        var first = await installation.ServeAsync(key);
        await first.Http.CreateAsync("alice");
        await first.TerminateAsync();
        await installation.ExecuteAsync(spoil);
        return await installation.ServeAsync(key);
    }
}
