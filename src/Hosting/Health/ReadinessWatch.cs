using Grid.Abstractions.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Hosting.Health;

/// <summary>Since when each check has had its present status, and the log's line when readiness changes.</summary>
/// <remarks>It looks once a second by itself, so that what it says does not depend on how often probes come.</remarks>
internal sealed partial class ReadinessWatch(TimeProvider clock, IHostApplicationLifetime lifetime, GridMetrics metrics, ILogger<ReadinessWatch> logger) : IHealthCheckPublisher
{
    private readonly Dictionary<string, (HealthStatus Status, DateTimeOffset Since)> _checks = [];
    private HashSet<string> _red = [];
    private DateTimeOffset? _redSince;

    /// <summary>How often it looks.</summary>
    public static TimeSpan LooksEvery { get; } = TimeSpan.FromSeconds(1);

    public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
    {
        Note(report);
        return Task.CompletedTask;
    }

    /// <summary>Takes note of what a probe, or the look of this second, has found.</summary>
    public void Note(HealthReport report)
    {
        var now = clock.GetUtcNow();
        metrics.Health([.. report.Entries.Select(check => (check.Key, Figure(check.Value.Status))), ("all", Figure(report.Status))]);
        lock (_checks)
        {
            foreach (var (name, entry) in report.Entries)
            {
                if (!_checks.TryGetValue(name, out var known) || known.Status != entry.Status)
                {
                    _checks[name] = (entry.Status, now);
                }
            }

            Tell(report, now);
        }
    }

    /// <summary>Since when a check has had its status, by this machine's clock. It must have been noted.</summary>
    public DateTimeOffset Since(string name)
    {
        lock (_checks)
        {
            return _checks[name].Since;
        }
    }

    private static double Figure(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => 1,
        HealthStatus.Degraded => 0.5,
        _ => 0,
    };

    private void Tell(HealthReport report, DateTimeOffset now)
    {
        // A silo that starts or stops is not ready by intention, and says so itself.
        if (!lifetime.ApplicationStarted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return;
        }

        // One outage may turn one check red after the other: each is told.
        var red = report.Entries.Where(check => check.Value.Status == HealthStatus.Unhealthy).Select(check => check.Key).ToHashSet();
        if (red.Count == 0 && _redSince is { } since)
        {
            Log.ReadyAgain(logger, (long)(now - since).TotalSeconds);
            _redSince = null;
        }
        else if (red.Count > 0 && !red.IsSubsetOf(_red))
        {
            Log.NotReady(logger, string.Join(' ', red.Select(name => $"{name}: {report.Entries[name].Description}")));
            _redSince ??= now;
        }

        _red = red;
    }

    private static partial class Log
    {
        [LoggerMessage(1060, LogLevel.Warning, "Not ready: {Checks}")]
        public static partial void NotReady(ILogger logger, string checks);

        [LoggerMessage(1061, LogLevel.Information, "Ready again, after {Seconds} s")]
        public static partial void ReadyAgain(ILogger logger, long seconds);
    }
}
