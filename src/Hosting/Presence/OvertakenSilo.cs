using Grid.Storage;

namespace Grid.Hosting.Presence;

/// <summary>Ends a process whose silo lost its session with the database for a moment, in which a migration came that is not for its version.</summary>
/// <remarks>
/// At once, as one that was declared dead: whatever it handed over, it would write over a schema that is not its own. The others find its session
/// over and its port closed. Started again, it is refused as any silo of its version, until the right one is started.
/// </remarks>
internal sealed partial class OvertakenSilo(ISiloPresence presence, ILoggerFactory loggers) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var why = await presence.Overtaken.WaitAsync(stoppingToken);
        Log.Ending(loggers.CreateLogger(typeof(OvertakenSilo).FullName!), why.Message);

        // The console's lines are written in the background; this waits for them.
        loggers.Dispose();
        Environment.Exit(StoreStartException.ExitCode);
    }

    private static partial class Log
    {
        [LoggerMessage(1057, LogLevel.Error, "A later version migrated the database while this silo's session with it was broken, and this silo ends. {Why}")]
        public static partial void Ending(ILogger logger, string why);
    }
}
