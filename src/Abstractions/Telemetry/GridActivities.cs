using System.Diagnostics;

namespace Grid.Abstractions.Telemetry;

/// <summary>Spans of Grid's own, beside those of requests, grain calls and SQL: <c>docs/telemetry.md</c>.</summary>
public static class GridActivities
{
    /// <summary>Source of all of them.</summary>
    public static ActivitySource Source { get; } = new(GridMetrics.MeterName);

    /// <summary>Who asks, if anybody traces; otherwise nothing is kept.</summary>
    public static Activity? Caller => Source.HasListeners() ? Activity.Current : null;

    /// <summary>Begins a span of work that is done for several callers at once: below the first whose trace is recorded, and linked to the others.</summary>
    /// <param name="name">Of the span.</param>
    /// <param name="callers">As <see cref="Caller"/> told when they asked; those without a trace left out.</param>
    /// <returns>Null if nobody traces any of them.</returns>
    public static Activity? StartShared(string name, IReadOnlyList<Activity> callers)
    {
        ArgumentNullException.ThrowIfNull(callers);
        if (callers.Count == 0)
        {
            return null;
        }

        var parent = callers.FirstOrDefault(caller => caller.Recorded) ?? callers[0];
        var links = callers.Where(caller => caller != parent).Select(caller => new ActivityLink(caller.Context));
        return Source.StartActivity(ActivityKind.Internal, parent.Context, links: links, name: name);
    }
}
