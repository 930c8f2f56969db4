using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Grid.HostKit;

/// <summary>Keeps the lines of Grid's own categories.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(int Id, string Text)> _lines = new();

    public IReadOnlyCollection<(int Id, string Text)> Lines => _lines;

    public int Count(int id) => _lines.Count(line => line.Id == id);

    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Grid.", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Id, formatter(state, exception)));

    public void Dispose()
    {
    }
}
