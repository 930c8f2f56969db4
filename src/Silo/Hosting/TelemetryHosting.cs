using Grid.Abstractions.Telemetry;
using Grid.Hosting.Settings;
using Grid.Storage;
using Grid.Tokens;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orleans.Dashboard;

namespace Grid.Silo.Hosting;

/// <summary>What this process exports of itself: <c>docs/telemetry.md</c>.</summary>
internal static class TelemetryHosting
{
    /// <summary>Path of the page for Prometheus, on the core API's port.</summary>
    public const string MetricsPath = "/metrics";

    // Where ASP.NET Core keeps the application's table of routes.
    private const string SharedRoutes = "__GlobalEndpointRouteBuilder";

    /// <summary>Path of Orleans' dashboard, there too.</summary>
    public const string DashboardPath = "/dashboard";

    // Grid's own, Orleans', what is known of requests and connections, and the runtime's.
    private static readonly string[] Always =
        [GridMetrics.MeterName, "Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    // Grain calls, not Orleans' own conversation; statements.
    private static readonly string[] Sources = [GridMetrics.MeterName, "Microsoft.Orleans.Application", "Npgsql"];

    public static void AddGridTelemetry(this WebApplicationBuilder builder, TelemetryOptions options, StoreOptions store)
    {
        if (options.Dashboard)
        {
            builder.UseOrleans(silo => silo.AddDashboard());
        }

        var (pushesMetrics, traces) = (IsPushed(builder.Configuration, "METRICS"), IsPushed(builder.Configuration, "TRACES"));
        if (!options.Metrics && !pushesMetrics && !traces)
        {
            return;
        }

        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(
            "grid", serviceVersion: typeof(TelemetryHosting).Assembly.GetName().Version?.ToString(3), serviceInstanceId: Environment.MachineName));
        if (options.Metrics || pushesMetrics)
        {
            telemetry.WithMetrics(metrics =>
            {
                metrics.AddMeter([.. Meters(store)]);
                if (options.Metrics)
                {
                    metrics.AddPrometheusExporter();
                }

                if (pushesMetrics)
                {
                    metrics.AddOtlpExporter();
                }
            });
        }

        if (traces)
        {
            builder.UseOrleans(silo => silo.AddActivityPropagation());
            telemetry.WithTracing(tracing => tracing.AddSource(Sources).AddAspNetCoreInstrumentation(http => http.Filter = IsWorthATrace).AddProcessor(new SpanAttributes()).AddOtlpExporter());
        }
    }

    /// <summary>Meters whose instruments are exported.</summary>
    /// <remarks>The driver names Orleans' pools by their connection strings, from which it takes the password and not the one of a client's key.</remarks>
    internal static IEnumerable<string> Meters(StoreOptions store) => store.Engine != StoreEngine.PostgreSql
        || new NpgsqlConnectionStringBuilder(store.ConnectionString).SslPassword is { Length: > 0 } ? Always : [.. Always, "Npgsql"];

    /// <summary>Pages that tell of this process.</summary>
    public static IReadOnlyList<(string Path, TokenHash? Key, Action<IApplicationBuilder> Answer)> Pages(TelemetryOptions options)
    {
        List<(string Path, TokenHash? Key, Action<IApplicationBuilder> Answer)> pages = [];
        if (options.Metrics)
        {
            pages.Add((MetricsPath, options.MetricsKeyHash, page => page.UseOpenTelemetryPrometheusScrapingEndpoint(context => !context.Request.Path.HasValue)));
        }

        if (options.Dashboard)
        {
            pages.Add((DashboardPath, null, UseDashboard));
        }

        return pages;
    }

    // With routes of its own: those of the application are one table, which the front and the core API share, and this page is behind its own door alone.
    private static void UseDashboard(IApplicationBuilder page)
    {
        page.Properties.Remove(SharedRoutes);
        page.UseRouting();
        page.UseEndpoints(routes => routes.MapOrleansDashboard());
    }

    // As OpenTelemetry's specification has it, but for the default: without an endpoint nothing is pushed, instead of to localhost.
    private static bool IsPushed(IConfiguration configuration, string signal) =>
        !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && configuration[$"OTEL_{signal}_EXPORTER"] is not "none"
        && !(string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]) && string.IsNullOrEmpty(configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]));

    private static bool IsWorthATrace(HttpContext context) => !context.Request.Path.StartsWithSegments("/health") && !context.Request.Path.StartsWithSegments(MetricsPath);
}
