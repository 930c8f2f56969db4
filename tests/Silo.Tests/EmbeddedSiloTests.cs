using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using Grid.Client;
using Grid.Hosting;
using Grid.Hosting.Settings;
using Grid.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Silo.Tests;

/// <summary>An application with <c>builder.AddGridSilo()</c>.</summary>
public sealed class EmbeddedSiloTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-embedded-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_application_protects_itself_with_no_second_program_and_no_port_but_its_own()
    {
        await using var app = await StartAsync(grid => grid.SqlitePath = Path.Combine(_folder, "grid.db"));
        using var http = Browser(app);

        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/me", Stop)).StatusCode);
        (await http.PostAsync("/sign-in", null, Stop)).EnsureSuccessStatusCode();
        Assert.Equal("alice", await http.GetStringAsync("/me", Stop));

        var sessions = app.Services.GetRequiredService<IGridSessions>();
        Assert.Single(await sessions.ListAsync("alice", null, Stop));
        Assert.Single((await sessions.RevokeUserAsync("alice", null, null, Stop)).Handles);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/me", Stop)).StatusCode);
        Assert.Single(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses);
        Assert.Equal(HealthStatus.Healthy, (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Status);
    }

    [Fact]
    public async Task Its_application_exports_for_the_whole_process_so_that_settings_for_that_are_refused()
    {
        var refusal = await Assert.ThrowsAsync<SettingsException>(() => StartAsync(grid =>
        {
            grid.SqlitePath = Path.Combine(_folder, "grid.db");
            grid.Settings["Grid:Telemetry:Metrics"] = "true";
        }));

        Assert.StartsWith("Grid:Telemetry:Metrics has no effect", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_can_be_asked_of_its_sessions_the_silo_answers()
    {
        var map = typeof(EmbeddedSessions).GetInterfaceMap(typeof(IGridSessions));

        // What the interface answers by itself is made of other calls, and may be dearer than the silo's own answer.
        var own = map.InterfaceMethods.Zip(map.TargetMethods).Where(pair => pair.Second.DeclaringType != typeof(EmbeddedSessions)).Select(pair => pair.First.Name);
        Assert.All(own, name => Assert.StartsWith("Revoke", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_application_with_cookies_keeps_its_tickets_in_its_own_process()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.AddGridSilo(grid => grid.SqlitePath = Path.Combine(_folder, "grid.db"));
        builder.Services.AddAuthentication("Cookies").AddCookie().AddGridTicketStore();
        builder.Services.AddAuthorization();
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/login", (HttpContext http) => http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "alice")], "Cookies"))));
        app.MapGet("/me", (ClaimsPrincipal user) => user.FindFirstValue(ClaimTypes.NameIdentifier)).RequireAuthorization();
        await app.StartAsync(Stop);
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(app.Urls.Single()) };

        (await http.PostAsync("/login", null, Stop)).EnsureSuccessStatusCode();
        Assert.Equal("alice", await http.GetStringAsync("/me", Stop));
        await app.Services.GetRequiredService<IGridSessions>().RevokeUserAsync("alice", null, null, Stop);

        Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync("/me", Stop)).StatusCode);
    }

    [Fact]
    public async Task Sessions_outlive_the_application()
    {
        string handle;
        await using (var first = await StartAsync(grid => grid.SqlitePath = Path.Combine(_folder, "grid.db")))
        {
            handle = (await first.Services.GetRequiredService<IGridSessions>().CreateAsync(new SessionDraft { UserId = "bob" }, Stop)).Handle;
            await first.StopAsync(Stop);
        }

        await using var second = await StartAsync(grid => grid.SqlitePath = Path.Combine(_folder, "grid.db"));
        Assert.Equal([handle], await second.Services.GetRequiredService<IGridSessions>().ListAsync("bob", null, Stop));
    }

    [Fact]
    public async Task Other_programs_reach_the_core_API_if_it_is_asked_for()
    {
        await using var app = await StartAsync(grid =>
        {
            (grid.SqlitePath, grid.OpenCoreApi) = (Path.Combine(_folder, "grid.db"), true);
            grid.Settings["Grid:Core:Port"] = "0";
        });
        using var core = new HttpClient { BaseAddress = app.Services.GetRequiredService<Grid.Hosting.EmbeddedSilo>().Core };

        Assert.StartsWith("Hello", await core.GetStringAsync("/hello", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_named_holds_the_secret_and_a_misspelt_key_is_warned_of()
    {
        var log = new Lines();
        var keys = Path.Combine(_folder, "keys");
        await File.WriteAllTextAsync(keys, "a-key-of-this-application-01\n", Stop);
        await using var app = await StartAsync(
            grid =>
            {
                (grid.SqlitePath, grid.OpenCoreApi) = (Path.Combine(_folder, "grid.db"), true);
                (grid.Settings["Grid:Core:Port"], grid.Settings["Grid:Core:Prt"]) = ("0", "1");
            },
            builder =>
            {
                builder.Logging.AddProvider(log);
                builder.Configuration["Grid:Core:ApiKeys_FILE"] = keys;
            });
        using var core = new HttpClient { BaseAddress = app.Services.GetRequiredService<EmbeddedSilo>().Core };

        Assert.Equal(HttpStatusCode.Unauthorized, (await core.GetAsync("/recipe/session/user?userId=u", Stop)).StatusCode);
        core.DefaultRequestHeaders.Add("api-key", "a-key-of-this-application-01");
        Assert.Equal(HttpStatusCode.OK, (await core.GetAsync("/recipe/session/user?userId=u", Stop)).StatusCode);
        Assert.Contains("Unknown setting Grid:Core:Prt has no effect; did you mean Grid:Core:Port?", log.All);
        Assert.DoesNotContain(log.All, line => line.Contains("_FILE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_beside_a_value_is_one_too_many()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(
            grid => grid.SqlitePath = Path.Combine(_folder, "grid.db"),
            builder => (builder.Configuration["Grid:Core:ApiKeys"], builder.Configuration["Grid:Core:ApiKeys_FILE"]) = ("a-key-of-this-application-01", "keys")));

        Assert.Contains("Grid:Core:ApiKeys_FILE names a file for a setting that has a value besides", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_configuration_says_of_the_applications_server_and_Orleans_is_not_said_to_the_silo()
    {
        await using var app = await StartAsync(
            grid =>
            {
                (grid.SqlitePath, grid.OpenCoreApi) = (Path.Combine(_folder, "grid.db"), true);
                grid.Settings["Grid:Core:Port"] = "0";
            },
            builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:Http:Url"] = "http://127.0.0.1:0",
                ["Kestrel:Limits:MaxConcurrentConnections"] = "0",
                ["AllowedHosts"] = "app.example",
                ["Orleans:Clustering:ProviderType"] = "NoSuchProvider",
            }));
        using var core = new HttpClient { BaseAddress = app.Services.GetRequiredService<Grid.Hosting.EmbeddedSilo>().Core };

        Assert.StartsWith("Hello", await core.GetStringAsync("/hello", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_PostgreSQL_it_is_one_silo_of_a_cluster_whose_revocations_it_obeys_at_once()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var database = await server!.CreateDatabaseAsync();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        using var other = await GridProcess.ServeAsync(
            _folder, ("Grid__Store__ConnectionString", database), ("Grid__Keys__EncryptionKey", key), ("Grid__Cluster__SiloPort", "0"));
        await using var app = await StartAsync(grid =>
        {
            grid.ConnectionString = database;
            grid.Settings["Grid:Keys:EncryptionKey"] = key;
            grid.Settings["Grid:Cluster:SiloPort"] = "0";
        });
        using var http = Browser(app);
        (await http.PostAsync("/sign-in", null, Stop)).EnsureSuccessStatusCode();
        Assert.Equal("alice", await http.GetStringAsync("/me", Stop));

        // Acknowledged by the other silo: from here on no request is accepted.
        using var removed = await other.Http.PostAsJsonAsync("/recipe/session/remove", new { userId = "alice" }, Stop);
        Assert.Contains("OK", await removed.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/me", Stop)).StatusCode);
    }

    [Fact]
    public async Task A_wrong_setting_stops_the_start_with_its_repair()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(grid => grid.SqlitePath = _folder));
        Assert.Contains("Grid:Store:SqlitePath", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_calls_it_too_late_hears_so()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddGridClient();

        var failure = Assert.Throws<InvalidOperationException>(() => builder.AddGridSilo());
        Assert.Contains("before AddGrid()", failure.Message, StringComparison.Ordinal);

        // Whatever sessions come from.
        var other = WebApplication.CreateSlimBuilder();
        other.Services.AddSingleton<IGridSessions>(_ => throw new InvalidOperationException());
        Assert.Throws<InvalidOperationException>(() => other.AddGridSilo());
    }

    [Fact]
    public async Task Who_calls_it_before_the_host_has_started_hears_so()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddGridSilo();
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => app.Services.GetRequiredService<IGridSessions>().ListAsync("alice", null, Stop));
        Assert.Contains("starts with the host", failure.Message, StringComparison.Ordinal);
    }

    private static HttpClient Browser(WebApplication app)
    {
        var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        http.DefaultRequestHeaders.Add("st-auth-mode", "cookie");
        return http;
    }

    private static async Task<WebApplication> StartAsync(Action<Grid.Hosting.GridSiloOptions> configure, Action<WebApplicationBuilder>? complete = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        complete?.Invoke(builder);
        builder.AddGridSilo(configure);
        builder.Services.AddAuthentication().AddGrid();
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGrid();
        app.MapPost("/sign-in", async (HttpContext http) => { await http.SignInGridAsync("alice"); });
        app.MapGet("/me", (HttpContext http) => http.GetGridSession()!.UserId).RequireAuthorization();
        try
        {
            await app.StartAsync(Stop);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
