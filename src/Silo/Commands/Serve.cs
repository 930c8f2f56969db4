using Grid.Hosting;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;

namespace Grid.Silo.Commands;

/// <summary><c>grid serve</c>.</summary>
internal static partial class Serve
{
    public static async Task<int> RunAsync(string[] overrides, CancellationToken stop)
    {
        var configuration = Configuration.Build(overrides);
        await using var silo = SiloApplication.Build(Plan(configuration));
        var logger = silo.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Grid");
        foreach (var note in Configuration.Notes(configuration))
        {
            Log.VariableWithoutEffect(logger, note);
        }

        await silo.StartAsync(stop);
        await silo.WaitForShutdownAsync(stop);
        return 0;
    }

    /// <summary>What the command runs.</summary>
    /// <exception cref="SettingsException">A value is missing or wrong.</exception>
    public static SiloPlan Plan(IConfigurationRoot configuration)
    {
        var settings = GridSettings.Read(configuration);
        return new SiloPlan
        {
            Configuration = configuration,
            Settings = settings,
            UnknownKeys = UnknownSettings.Find(configuration),
            OpensFront = settings.Front.Enabled,
            Complete = builder =>
            {
                builder.Logging.AddGridLogging(settings.Log);
                builder.Host.UseSystemd();
                builder.AddGridTelemetry(settings.Telemetry, settings.Store);
            },
            OperatorPages = TelemetryHosting.Pages(settings.Telemetry),
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Warning, "{Note}")]
        public static partial void VariableWithoutEffect(ILogger logger, string note);
    }
}
