using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Grid.HostKit;

/// <summary>Keeps the lines of Grid's own categories, and of every category those that tell a secret.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(int Id, string Text)> _lines = new();
    private readonly ConcurrentQueue<string> _leaks = new();
    private volatile string[] _secrets = [];

    public IReadOnlyCollection<(int Id, string Text)> Lines => _lines;

    /// <summary>Lines that had one of <see cref="Guard"/>'s secrets in them, or in their exception.</summary>
    public IReadOnlyCollection<string> Leaks => _leaks;

    /// <summary>From now on lines of all categories are searched for these.</summary>
    public void Guard(params string[] secrets) => _secrets = secrets;

    public int Count(int id) => _lines.Count(line => line.Id == id);

    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Grid.", StringComparison.Ordinal) ? this : new Elsewhere(this);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = formatter(state, exception);
        _lines.Enqueue((eventId.Id, text));
        Search(text, exception);
    }

    public void Dispose()
    {
    }

    private void Search(string text, Exception? exception)
    {
        if (_secrets is { Length: > 0 } secrets && $"{text} {exception}" is var whole && secrets.Any(secret => whole.Contains(secret, StringComparison.Ordinal)))
        {
            _leaks.Enqueue(whole);
        }
    }

    /// <summary>A category that is not Grid's: its lines are not kept.</summary>
    private sealed class Elsewhere(CapturedLog log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log._secrets.Length > 0 && logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Search(formatter(state, exception), exception);
            }
        }
    }
}
