using Grid.Hosting.Joining;

namespace Grid.Hosting.Presence;

/// <summary>Ends a process whose silo the others have declared dead: with a sentence, where Orleans ends it with a crash's stack, as it does any other fatal error.</summary>
/// <remarks>
/// At once and without handing anything over, since its grains are at work elsewhere by now; its lease is over, so that it accepts nothing meanwhile.
/// Whoever started it starts it again, as after a crash.
/// </remarks>
internal sealed partial class DeclaredDead(ILoggerFactory loggers) : IFatalErrorHandler
{
    /// <summary>The id under which Orleans logs it, with the whole membership and as an error.</summary>
    public const int OrleansEvent = 100627;

    private const string InOrleansWords = "I have been told I am dead";

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

    /// <inheritdoc/>
    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        var logger = loggers.CreateLogger(typeof(DeclaredDead).FullName!);
        if (context?.Contains(InOrleansWords, StringComparison.Ordinal) != true)
        {
            Log.Fatal(logger, exception, sender?.GetType().Name, context);
            Environment.FailFast($"Grid cannot go on: {context}", exception);
        }

        Log.Ending(logger);

        // The console's lines are written in the background; this waits for them.
        loggers.Dispose();
        Environment.Exit(ClusterStartException.ExitCode);
    }

    private static partial class Log
    {
        [LoggerMessage(1055, LogLevel.Error, "The other silos have declared this one dead, because it was cut off from them or from the database, or stood still. It ends; start it again")]
        public static partial void Ending(ILogger logger);

        [LoggerMessage(1056, LogLevel.Critical, "A fatal error in {Where}: {Context}")]
        public static partial void Fatal(ILogger logger, Exception? failure, string? where, string? context);
    }
}
