using Grid.Abstractions.Clocks;
using Grid.Client;
using Grid.Hosting;
using Grid.Hosting.Settings;
using Grid.Testing.Hosts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Grid.Testing;

/// <summary>
/// A whole Grid in the test's process: silo, core API and a store of its own, on ports that are free. Any number of them run side by side.
/// </summary>
/// <remarks>
/// <para>
/// Tokens and sessions expire by <see cref="Clock"/>, which stands still until the test moves it. Whatever keeps Grid going is not on that
/// clock: leases, time limits and background work pass in real time. So a move of the clock, however far, expires what it should and
/// nothing else: no holder loses its lease, no call times out.
/// </para>
/// <para>Access tokens are valid for exactly an hour, sessions for 100 days after they were created or refreshed last.</para>
/// </remarks>
public sealed class GridTestHost : IAsyncDisposable
{
    private readonly SiloApplication _silo;

    private GridTestHost(string folder, SiloApplication silo, FakeTimeProvider clock) => (Folder, _silo, Clock) = (folder, silo, clock);

    /// <summary>The clock by which tokens and sessions expire. <c>Advance</c> moves it.</summary>
    public FakeTimeProvider Clock { get; }

    /// <summary>The sessions, in process.</summary>
    public IGridSessions Sessions => _silo.Services.GetRequiredService<IGridSessions>();

    /// <summary>The address of the core API, for back ends over HTTP. It asks for no key.</summary>
    public Uri CoreApi => _silo.Core!;

    /// <summary>Starts it; that takes a second or two, so tests share one and have users of their own.</summary>
    /// <param name="clock">The clock to go by; null for a new one that begins at the present second.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    public static async Task<GridTestHost> StartAsync(FakeTimeProvider? clock = null, CancellationToken cancellationToken = default)
    {
        clock ??= StartOfClock();
        var folder = Directory.CreateTempSubdirectory("grid-test-host-").FullName;
        SiloApplication? silo = null;
        try
        {
            silo = SiloApplication.Build(Plan(folder, clock));
            await silo.StartAsync(cancellationToken);
            return new GridTestHost(folder, silo, clock);
        }
        catch
        {
            await (silo?.DisposeAsync() ?? ValueTask.CompletedTask);
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Where its store is, and what else it writes.</summary>
    internal string Folder { get; }

    /// <summary>Adds a tenant, which sessions may then name. <c>public</c> is there from the start.</summary>
    public async Task AddTenantAsync(string tenantId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        using var http = new HttpClient { BaseAddress = CoreApi };
        using var answer = await http.PutAsync("/recipe/multitenancy/tenant/v2", System.Net.Http.Json.JsonContent.Create(new { tenantId }), cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Stops it. Nothing is left: no file, no port.</summary>
    public async ValueTask DisposeAsync()
    {
        await _silo.StopAsync(CancellationToken.None);
        await _silo.DisposeAsync();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    // Whole seconds, as tokens have them. From the present on, since cookies and other parties go by the real clock.
    private static FakeTimeProvider StartOfClock() => new(DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));

    private static SiloPlan Plan(string folder, FakeTimeProvider clock)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Grid:Store:SqlitePath"] = Path.Combine(folder, "grid.db"),
            ["Grid:Keys:EncryptionKey"] = Convert.ToBase64String(new byte[32]),
            ["Grid:Core:Port"] = "0",
            ["Grid:Front:Enabled"] = "false",
            ["Grid:Session:AccessTokenValidityJitter"] = "0",
            ["Grid:Shutdown:Drain"] = "00:00:00",
        }).Build();
        return new SiloPlan
        {
            Configuration = configuration,
            Settings = GridSettings.Read(configuration),
            OpensFront = false,
            Environment = Environments.Development,
            Complete = builder =>
            {
                builder.Logging.ClearProviders();

                // Orleans times calls by its clock's ticks: moved by the test, calls that are under way would look overdue.
                builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(new HostClock(clock, ticks: TimeProvider.System)));
                var trust = new ClockTrust(clock, clock);
                builder.Services.Replace(ServiceDescriptor.Singleton(trust));
                builder.Services.Replace(ServiceDescriptor.Singleton(new TrustedClock(new HostClock(clock, ticks: clock), trust)));
                builder.Services.AddSingleton<IHostLifetime, NoSignals>();
            },
        };
    }

    // Ctrl+C is the test runner's to hear.
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
