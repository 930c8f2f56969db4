using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions.Telemetry;
using Grid.Hosting;
using Grid.Silo.Commands;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Silo.Tests.Telemetry;

/// <summary>What <c>grid serve</c> runs, in this process, after every kind of traffic that it counts.</summary>
[CollectionDefinition(nameof(MeteredSilo))]
public sealed class MeteredSilo : IAsyncLifetime, ICollectionFixture<MeteredSilo>
{
    public const string ApiKey = "the-api-key-of-the-metered-silo";
    public const string MetricsKey = "a-key-that-opens-only-metrics";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-metered-").FullName;
    private SiloApplication? _silo;

    internal SiloApplication Silo => _silo!;

    internal HttpClient Core { get; private set; } = null!;

    internal HttpClient Front { get; private set; } = null!;

    /// <summary>Texts of the traffic that must not be told on.</summary>
    internal List<string> Secrets { get; } = [ApiKey, MetricsKey];

    public async ValueTask InitializeAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Grid:Store:SqlitePath"] = Path.Combine(_folder, "grid.db"),
            ["Grid:Core:Port"] = "0",
            ["Grid:Core:ApiKeys"] = ApiKey,
            ["Grid:Core:BasePath"] = "/core",
            ["Grid:Front:Port"] = "0",
            ["Grid:Shutdown:Drain"] = "00:00:00",
            ["Grid:Logging:Level"] = "None",
            ["Grid:Telemetry:MetricsKey"] = MetricsKey,
            ["Grid:Telemetry:Dashboard"] = "true",
        }).Build();
        _silo = SiloApplication.Build(Serve.Plan(configuration));
        await _silo.StartAsync(TestContext.Current.CancellationToken);
        Core = new HttpClient { BaseAddress = _silo.Core };
        Core.DefaultRequestHeaders.Add("api-key", ApiKey);
        Front = new HttpClient { BaseAddress = _silo.Front };
        await UseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Core?.Dispose();
        Front?.Dispose();
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The page as a scraper reads it.</summary>
    internal async Task<string> ScrapeAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", MetricsKey);
        using var http = new HttpClient { BaseAddress = _silo!.Core };
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The page when it is as a test needs it; after a minute as it is.</summary>
    internal async Task<ExportedMetrics> UntilAsync(Func<ExportedMetrics, bool> condition)
    {
        for (var tries = 0; ; tries++)
        {
            var page = ExportedMetrics.Parse(await ScrapeAsync());
            if (condition(page) || tries > 600)
            {
                return page;
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The page with everything that there is, and with what only happens in trouble, or to clusters with certificates.</summary>
    internal Task<ExportedMetrics> ReadAllAsync()
    {
        var metrics = _silo!.Services.GetRequiredService<GridMetrics>();
        metrics.Refused("none");
        metrics.StoreEnded(metrics.StartStore(), "none", "no_answer");
        metrics.Certificate(() => 1);

        // A page is kept for a moment, so that the next one may be older than this.
        return UntilAsync(page => page.Names.Contains("grid_health_status") && page.Names.Contains("grid_holders") && page.Names.Contains("grid_certificate_remaining_seconds")
            && page.Sum("grid_requests_refused_total", ("grid_request_class", "none")) > 0 && page.LabelsOf("grid_store_operation_duration_seconds_count").Contains("error_type"));
    }

    internal async Task<JsonObject> PostAsync(string path, object body)
    {
        using var answer = await Core.PostAsJsonAsync($"/core{path}", body, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(TestContext.Current.CancellationToken))!;
    }

    private async Task UseAsync()
    {
        var user = $"user-{Guid.NewGuid():N}";
        Secrets.Add(user);
        var first = await CreateAsync(user);
        var refresh = Token(first, "refreshToken");
        Assert.Equal("OK", Word(await PostAsync("/recipe/session/verify", Check(first))));
        Assert.Equal("TRY_REFRESH_TOKEN", Word(await PostAsync("/recipe/session/verify", new { accessToken = "none", enableAntiCsrf = false, doAntiCsrfCheck = false, checkDatabase = false })));
        var second = await PostAsync("/recipe/session/refresh", Refresh(refresh));
        Assert.Equal("OK", Word(second));
        var third = await PostAsync("/recipe/session/refresh", Refresh(Token(second, "refreshToken")));
        Assert.Equal("OK", Word(third));
        Assert.Equal("TOKEN_THEFT_DETECTED", Word(await PostAsync("/recipe/session/refresh", Refresh(refresh))));
        Assert.Equal("UNAUTHORISED", Word(await PostAsync("/recipe/session/refresh", Refresh("none"))));

        var other = await CreateAsync(user);
        Assert.Equal("OK", Word(await PostAsync("/recipe/session/remove", new { sessionHandles = new[] { $"{other["session"]!["handle"]}" } })));
        Assert.Equal("UNAUTHORISED", Word(await PostAsync("/recipe/session/verify", Check(other))));

        // One stays, for the gauges.
        var last = await CreateAsync(user);
        Assert.Equal("OK", Word(await PostAsync("/recipe/session/verify", Check(last))));
        using var unknown = await Front.GetAsync("/auth/session/verify", TestContext.Current.CancellationToken);
        using var wrong = new HttpClient { BaseAddress = _silo!.Core };
        using var refused = await wrong.GetAsync("/core/recipe/session/user?userId=u", TestContext.Current.CancellationToken);
        Assert.Equal(401, (int)refused.StatusCode);
    }

    private async Task<JsonObject> CreateAsync(string userId)
    {
        var made = await PostAsync("/recipe/session", new { userId, enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
        Assert.Equal("OK", Word(made));
        Secrets.AddRange([Token(made, "accessToken"), Token(made, "refreshToken"), $"{made["session"]!["handle"]}"]);
        return made;
    }

    private static string Token(JsonObject answer, string kind) => $"{answer[kind]!["token"]}";

    private static string Word(JsonObject answer) => $"{answer["status"]}";

    private static object Check(JsonObject session) => new { accessToken = Token(session, "accessToken"), enableAntiCsrf = false, doAntiCsrfCheck = false, checkDatabase = false };

    private static object Refresh(string refreshToken) => new { refreshToken, enableAntiCsrf = false, useDynamicSigningKey = true };
}
