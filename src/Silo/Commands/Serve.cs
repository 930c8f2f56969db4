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
        var settings = GridSettings.Read(configuration);
        await using var silo = SiloApplication.Build(new SiloPlan
        {
            Configuration = configuration,
            Settings = settings,
            UnknownKeys = UnknownSettings.Find(configuration),
            OpensFront = settings.Front.Enabled,
            Complete = builder =>
            {
                builder.Logging.AddGridLogging(settings.Log);
                builder.Host.UseSystemd();
            },
        });
        var logger = silo.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Grid");
        foreach (var note in Configuration.Notes(configuration))
        {
            Log.VariableWithoutEffect(logger, note);
        }

        await silo.StartAsync(stop);
        await silo.WaitForShutdownAsync(stop);
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Warning, "{Note}")]
        public static partial void VariableWithoutEffect(ILogger logger, string note);
    }
}
