using Grid.Hosting.Joining;
using Grid.Hosting.Presence;
using Grid.Revocation.Outages;

namespace Grid.Hosting.Logs;

/// <summary>
/// The silo's log, read at night: what is normal after a crash does not look like a defect. A failure that is expected of an outage is written as
/// its cause, without a stack; Orleans' own errors of that kind as one line, and then as a count. Everything else is left as it is.
/// </summary>
internal sealed partial class CalmLoggerFactory : ILoggerFactory
{
    private const string Orleans = "Orleans";

    private readonly ILoggerFactory _inner;
    private readonly OutageTally _ofOrleans;

    public CalmLoggerFactory(ILoggerFactory inner, TimeProvider clock)
    {
        _inner = inner;
        var own = inner.CreateLogger(typeof(CalmLoggerFactory).FullName!);
        _ofOrleans = new OutageTally(
            clock,
            (what, failure) => Log.Met(own, what, ExpectedFailure.Describe(failure!)),
            more => Log.More(own, more.Count, more.Kinds),
            _ => { });
    }

    public ILogger CreateLogger(string categoryName)
    {
        var logger = _inner.CreateLogger(categoryName);
        return categoryName.StartsWith(Orleans, StringComparison.Ordinal) ? new OrleansLogger(logger, categoryName[(categoryName.LastIndexOf('.') + 1)..], _ofOrleans) : new GridLogger(logger);
    }

    public void AddProvider(ILoggerProvider provider) => _inner.AddProvider(provider);

    public void Dispose()
    {
        _ofOrleans.Dispose();
        _inner.Dispose();
    }

    /// <summary>Errors keep their stacks: who writes one means that somebody should look. A refusal to join is a sentence for the operator.</summary>
    private sealed class GridLogger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not ClusterStartException && (exception is null || logLevel >= LogLevel.Error || !ExpectedFailure.Is(exception)))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
            else
            {
                inner.Log(logLevel, eventId, state, null, (text, _) => $"{formatter(text, exception)}: {ExpectedFailure.Describe(exception)}");
            }
        }
    }

    private sealed class OrleansLogger(ILogger inner, string name, OutageTally tally) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == DeclaredDead.OrleansEvent)
            {
                // Said by DeclaredDead.
                return;
            }

            // Some of its messages have the exception as a value, with its stack.
            var failure = exception ?? (state as IReadOnlyList<KeyValuePair<string, object?>>)?.Select(value => value.Value).OfType<Exception>().FirstOrDefault();
            if (failure is null || !ExpectedFailure.Is(failure))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
            else if (inner.IsEnabled(logLevel))
            {
                // What it says of the failure is told with the first of a kind.
                tally.Met($"{name}[{eventId.Id}]", new InvalidOperationException(formatter(state, exception), failure));
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1070, LogLevel.Warning, "The cluster's runtime goes on after a failure of {What}: {Cause}. Further ones are counted")]
        public static partial void Met(ILogger logger, string what, string cause);

        [LoggerMessage(1071, LogLevel.Warning, "{Count} more failures in the cluster's runtime ({What})")]
        public static partial void More(ILogger logger, long count, string what);
    }
}
