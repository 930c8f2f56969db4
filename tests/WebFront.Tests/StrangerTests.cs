using System.Diagnostics.Metrics;
using System.Net;
using Grid.WebFront.Doors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Grid.WebFront.Tests;

/// <summary>What those without a key are told, and what they cost.</summary>
public sealed class StrangerTests(CoreHost core)
{
    private const string Key = "key-of-this-app-0123456789";

    [Fact]
    public async Task Names_that_nobody_made_an_app_of_are_not_remembered_and_wake_no_grain()
    {
        var before = core.RememberedApps;
        for (var i = 0; i < 2_000; i++)
        {
            Assert.Equal(400, (await core.SendAsync("GET", $"/appid-nobody-{i}/apiversion")).Status);
        }

        Assert.Equal(before, core.RememberedApps);
        Assert.Equal(0, await core.ActivationsAsync("app", "nobody-"));
    }

    [Fact]
    public async Task Right_keys_go_on_while_an_address_that_guesses_is_told_to_wait()
    {
        core.Clock.Skip(TimeSpan.FromMinutes(1));
        var app = await core.CreateAppAsync(new { api_keys = Key });
        List<int> statuses = [];
        for (var i = 0; i < 50; i++)
        {
            statuses.Add((await core.SendAsync("GET", $"{app}/apiversion", null, null, ("api-key", $"guess-number-{i:00000000}"))).Status);
            Assert.Equal(200, (await core.SendAsync("GET", $"{app}/apiversion", null, null, ("api-key", Key))).Status);
        }

        Assert.Equal([.. Enumerable.Repeat(401, 20), .. Enumerable.Repeat(429, 30)], statuses);
        var refused = await core.SendAsync("GET", $"{app}/session/holder", null, null, ("api-key", "guess-of-a-service-00"));
        Assert.Equal((429, "Invalid API key, and too many of them from this address: please wait\n"), (refused.Status, refused.Text));
        Assert.InRange(int.Parse(refused.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        core.Clock.Skip(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await core.SendAsync("GET", $"{app}/apiversion")).Status);
        core.Clock.Skip(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void An_address_is_logged_at_its_first_failure_and_once_a_minute_with_the_count()
    {
        using var metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var clock = new FakeTimeProvider();
        var log = new Lines();
        using var brake = new GuessBrake("API key", 20, metrics.GetRequiredService<IMeterFactory>(), clock, log);
        for (var i = 0; i < 3_000; i++)
        {
            Assert.Equal(i >= 20, brake.Failed(IPAddress.Parse("192.0.2.7")) is not null);
        }

        Assert.Single(log.Texts);
        Assert.Contains("192.0.2.7", log.Texts[0], StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("3000 requests with a wrong API key from 192.0.2.7 within a minute", log.Texts[1]);
        Assert.Equal(0, brake.Count);
        Assert.Null(brake.Failed(IPAddress.Parse("192.0.2.7")));
    }

    [Fact]
    public void A_swarm_of_addresses_fills_neither_memory_nor_log_and_is_braked_as_one()
    {
        using var metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var clock = new FakeTimeProvider();
        var log = new Lines();
        using var brake = new GuessBrake("API key", 20, metrics.GetRequiredService<IMeterFactory>(), clock, log);
        for (var i = 0; i < 100_000; i++)
        {
            brake.Failed(new IPAddress(BitConverter.GetBytes(i)));
        }

        Assert.InRange(brake.Count, 4096, 4097);
        Assert.NotNull(brake.Failed(IPAddress.Parse("203.0.113.9")));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(log.Texts.Count, 1, 40);
        Assert.Equal(0, brake.Count);
    }

    [Fact]
    public void The_addresses_of_one_network_are_one_and_so_are_the_two_spellings_of_IPv4()
    {
        using var metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var brake = new GuessBrake("API key", 2, metrics.GetRequiredService<IMeterFactory>(), new FakeTimeProvider(), new Lines());
        Assert.Null(brake.Failed(IPAddress.Parse("2001:db8::1")));
        Assert.Null(brake.Failed(IPAddress.Parse("2001:db8::2")));
        Assert.NotNull(brake.Failed(IPAddress.Parse("2001:db8::ffff:3")));
        Assert.Null(brake.Failed(IPAddress.Parse("192.0.2.1")));
        Assert.Null(brake.Failed(IPAddress.Parse("::ffff:192.0.2.1")));
        Assert.NotNull(brake.Failed(IPAddress.Parse("192.0.2.1")));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:3567")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "127.0.0.1.evil.example:3567")]
    [InlineData("Host", "localhost.evil.example")]
    [InlineData("Host", "localhost.localhost.evil.example")]
    [InlineData("Host", "192.0.2.1")]
    public async Task Without_a_key_a_web_page_gets_nothing(string header, string value)
    {
        var session = await core.CreateSessionAsync();
        var handle = $"{session["session"]!["handle"]}";
        CoreAnswer[] answers =
        [
            await core.SendAsync("POST", "/recipe/session/remove", $$"""{"sessionHandles":["{{handle}}"]}""", null, (header, value)),
            await core.SendAsync("POST", "/session/revoke", """{"allOfApp":true}""", null, (header, value)),
            await core.SendAsync("GET", $"/recipe/session?sessionHandle={handle}", null, null, (header, value)),
            await core.SendAsync("GET", "/session/holder", null, null, (header, value), ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")),
            await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", """{"appId":"planted"}""", null, (header, value)),
            await core.SendAsync("GET", "/hello", null, null, (header, value)),
            await core.SendAsync("GET", "/.well-known/jwks.json", null, null, (header, value)),
            await core.SendAsync("GET", "/appid-no-such-app/hello", null, null, (header, value)),
        ];

        Assert.All(answers, answer =>
        {
            Assert.Equal(403, answer.Status);
            Assert.Contains("Grid:Core:ApiKeys", answer.Text, StringComparison.Ordinal);
        });
        Assert.Equal("OK", (await core.VerifyAsync("", $"{session["accessToken"]!["token"]}")).Word);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Host", "localhost:1")]
    [InlineData("Host", "LOCALHOST")]
    [InlineData("Host", "grid.localhost:3567")]
    [InlineData("Host", "127.0.0.1")]
    [InlineData("Host", "127.0.0.2:80")]
    [InlineData("Host", "[::1]:3567")]
    public async Task Programs_and_people_on_this_machine_are_served(string header, string value) =>
        Assert.Equal(200, (await core.SendAsync("GET", "/apiversion", null, null, (header, value))).Status);

    [Fact]
    public async Task With_a_key_it_is_the_key_that_counts()
    {
        var app = await core.CreateAppAsync(new { api_keys = Key });
        Assert.Equal(200, (await core.SendAsync("GET", $"{app}/apiversion", null, null, ("api-key", Key), ("Host", "core.internal.example"), ("Origin", "https://tool.example"))).Status);
    }

    [Fact]
    public async Task The_first_page_is_for_this_machines_own_names_and_for_itself()
    {
        foreach (var path in new[] { "/first-page/session", "/first-page/end-all" })
        {
            Assert.Equal(200, await FrontAsync("POST", path));
            Assert.Equal(200, await FrontAsync("POST", path, ("Host", "localhost:8080"), ("Origin", "http://localhost:8080")));
            Assert.Equal(403, await FrontAsync("POST", path, ("Host", "evil.example")));
            Assert.Equal(403, await FrontAsync("POST", path, ("Host", "evil.example"), ("Origin", "http://evil.example")));
            Assert.Equal(403, await FrontAsync("POST", path, ("Origin", "http://localhost:3000")));
        }

        Assert.Equal(200, await FrontAsync("GET", "/"));
        Assert.Equal(403, await FrontAsync("GET", "/", ("Host", "evil.example")));
    }

    [Fact]
    public async Task Tickets_are_not_guessed_either_and_right_ones_go_on()
    {
        core.Clock.Skip(TimeSpan.FromMinutes(1));
        List<int> statuses = [];
        for (var i = 0; i < 110; i++)
        {
            statuses.Add(await RedeemAsync($"guess{i}"));
        }

        Assert.Equal([.. Enumerable.Repeat(401, 100), .. Enumerable.Repeat(429, 10)], statuses);
        var ticket = (await core.PostAsync("/session/ticket", new { userId = "ticket-holder" })).Json["ticket"]!.GetValue<string>();
        Assert.Equal(200, await RedeemAsync(ticket));
        core.Clock.Skip(TimeSpan.FromMinutes(1));
        Assert.Equal(401, await RedeemAsync("guess"));
    }

    private async Task<int> RedeemAsync(string ticket)
    {
        using var http = new HttpClient { BaseAddress = core.FrontUrl };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/session/ticket")
        {
            Headers = { { "rid", "session" } },
            Content = new StringContent($$"""{"ticket":"{{ticket}}"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        using var answer = await http.SendAsync(request);
        Assert.Equal(answer.StatusCode == HttpStatusCode.TooManyRequests, answer.Headers.Contains("Retry-After"));
        return (int)answer.StatusCode;
    }

    private async Task<int> FrontAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient { BaseAddress = core.FrontUrl };
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { { "rid", "session" } } };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await http.SendAsync(request);
        return (int)answer.StatusCode;
    }

    /// <summary>What was logged.</summary>
    internal sealed class Lines : ILogger
    {
        public List<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Texts)
            {
                Texts.Add(formatter(state, exception));
            }
        }
    }
}
