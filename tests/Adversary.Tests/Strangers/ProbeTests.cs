using System.Net;
using System.Text.Json.Nodes;
using Grid.Adversary.Tests.Operators;

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
        var key = Installation.NewKey();
        var first = await installation.ServeAsync(key);
        await first.Http.CreateAsync("alice");
        await first.TerminateAsync();

        // A byte in the middle of the app's keys.
        await installation.ExecuteAsync(
            "UPDATE OrleansStorage SET PayloadBinary = CAST(substr(PayloadBinary, 1, 600) || x'00112233' || substr(PayloadBinary, 605) AS BLOB) WHERE GrainTypeString = 'keys'");
        var silo = await installation.ServeAsync(key);

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
}
