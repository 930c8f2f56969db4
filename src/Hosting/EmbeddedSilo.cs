using Grid.Abstractions.Settings;
using Grid.Client;
using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Grid.Hosting;

/// <summary>A silo whose lifetime is that of the application that hosts it.</summary>
internal sealed class EmbeddedSilo(
    IOptions<GridSiloOptions> options, IConfiguration configuration, IHostEnvironment environment, ILoggerFactory loggers, IHostApplicationLifetime lifetime, IServiceProvider around)
    : IHostedService, IAsyncDisposable
{
    private SiloApplication? _silo;
    private IGridSessions? _sessions;
    private CancellationTokenRegistration _stopping;

    /// <summary>Sessions of the app that <c>Grid:Front:App</c> names.</summary>
    /// <exception cref="InvalidOperationException">The host has not started.</exception>
    public IGridSessions Sessions => _sessions ?? throw NotStarted();

    /// <summary>The silo's own.</summary>
    /// <exception cref="InvalidOperationException">The host has not started.</exception>
    public IServiceProvider Services => _silo?.Services ?? throw NotStarted();

    /// <summary>Where the core API listens; null if it is closed.</summary>
    public Uri? Core => _silo?.Core;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var wanted = options.Value;
        var all = new ConfigurationBuilder().AddConfiguration(configuration).Add(NamedFiles()).AddInMemoryCollection(Settings(wanted)).Build();
        RefuseTelemetry(all);
        var settings = GridSettings.Read(all);
        var silo = SiloApplication.Build(new SiloPlan
        {
            Configuration = OwnPart(all),
            Settings = settings,
            UnknownKeys = UnknownSettings.Find(all),
            OpensCore = wanted.OpenCoreApi,
            OpensFront = wanted.OpenFront,
            Environment = environment.EnvironmentName,
            Complete = builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.AddGridFilters(settings.Log);
                builder.Logging.AddProvider(new OuterLog(loggers));
                builder.Services.Replace(ServiceDescriptor.Singleton(around.GetService<TimeProvider>() ?? TimeProvider.System));

                // Signals are the application's to hear.
                builder.Services.AddSingleton<IHostLifetime, NoSignals>();
            },
        });
        try
        {
            await silo.StartAsync(cancellationToken);
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }

        _silo = silo;
        _sessions = silo.Services.GetRequiredService<IGridSessions>();
        _stopping = silo.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(lifetime.StopApplication);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _silo?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // An application that is disposed is not asked to stop any more.
        await _stopping.DisposeAsync();
        await (_silo?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    // Which of the application's sources is the stronger cannot be seen from here, so that both are one too many.
    private SecretFiles NamedFiles()
    {
        var named = configuration.AsEnumerable().Where(setting => setting.Value is { Length: > 0 } && setting.Key.EndsWith(SecretFiles.Suffix, StringComparison.Ordinal)).ToDictionary();
        return named.Keys.FirstOrDefault(key => configuration[key[..^SecretFiles.Suffix.Length]] is { Length: > 0 } && SecretFiles.IsOurs(key)) is { } twice
            ? throw new SettingsException($"{twice} names a file for a setting that has a value besides: drop one of them.")
            : new SecretFiles(named);
    }

    // Sections such as Kestrel, Orleans, Logging and AllowedHosts speak to the application.
    private static IConfigurationRoot OwnPart(IConfigurationRoot all) => new ConfigurationBuilder()
        .AddInMemoryCollection(all.AsEnumerable().Where(setting => setting.Key.StartsWith("Grid:", StringComparison.OrdinalIgnoreCase))).Build();

    // The application tells of the whole process, and of its silo with it.
    private static void RefuseTelemetry(IConfigurationRoot all)
    {
        if (SettingTable.All.FirstOrDefault(row => row.Section == TelemetryOptions.Section && SettingsBinder.Find(all, row) is not null) is { } set)
        {
            throw new SettingsException($"{set.Key} has no effect in a silo inside an application, which exports for the whole process: add the meters and the activity source named \"Grid\" to its OpenTelemetry, and remove the setting.");
        }
    }

    private static InvalidOperationException NotStarted() => new("Grid's silo starts with the host: call IGridSessions when the host has started.");

    private static Dictionary<string, string?> Settings(GridSiloOptions wanted)
    {
        var settings = new Dictionary<string, string?>(wanted.Settings, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in new[] { ("Grid:Store:ConnectionString", wanted.ConnectionString), ("Grid:Store:SqlitePath", wanted.SqlitePath) })
        {
            if (value is not null)
            {
                settings[key] = value;
            }
        }

        return settings;
    }

    /// <summary>Hands on to the application's log, behind the silo's own filters.</summary>
    private sealed class OuterLog(ILoggerFactory loggers) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => loggers.CreateLogger(categoryName);

        public void Dispose()
        {
        }
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
