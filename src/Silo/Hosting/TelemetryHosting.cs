using Grid.Abstractions.Telemetry;
using Grid.Hosting.Settings;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Grid.Silo.Hosting;

/// <summary>What this process exports of itself: <c>docs/telemetry.md</c>.</summary>
internal static class TelemetryHosting
{
    /// <summary>Path of the page for Prometheus, on the core API's port.</summary>
    public const string MetricsPath = "/metrics";

    // Grid's own, Orleans', what is known of requests, connections and the database, and the runtime's.
    private static readonly string[] Meters =
        [GridMetrics.MeterName, "Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql", "System.Runtime"];

    public static void AddGridTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        if (!options.Metrics)
        {
            return;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("grid", serviceVersion: typeof(TelemetryHosting).Assembly.GetName().Version?.ToString(3), serviceInstanceId: Environment.MachineName))
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
    }

    /// <summary>Pages that tell of this process.</summary>
    public static IReadOnlyList<(string Path, Grid.Tokens.TokenHash? Key, Action<IApplicationBuilder> Answer)> Pages(TelemetryOptions options) => options.Metrics
        ? [(MetricsPath, options.MetricsKeyHash, page => page.UseOpenTelemetryPrometheusScrapingEndpoint(context => !context.Request.Path.HasValue))]
        : [];
}
