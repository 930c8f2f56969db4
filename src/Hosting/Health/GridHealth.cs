using System.Text;
using System.Text.Json;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Hosting.Serving;
using Grid.Revocation.Holders;
using Grid.Storage.Importing;
using Grid.WebFront.Core.Service;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Hosting.Health;

/// <summary>
/// Probes: <c>/health/live</c> (this process), <c>/health/ready</c> and <c>/health/startup</c> (store answers and takes writes, leases are renewed, clock is right,
/// keys open, not shutting down; the core behind Grid never makes it red). No key. On the core's port <c>?verbose</c> tells each check.
/// </summary>
internal static class GridHealth
{
    /// <summary>Tag of the checks that make this silo ready.</summary>
    public const string Ready = "ready";

    public static void AddGridHealth(this IServiceCollection services, bool hasUpstream, bool readsThrough)
    {
        services.AddSingleton<ReadinessWatch>();
        services.AddSingleton<IHealthCheckPublisher>(provider => provider.GetRequiredService<ReadinessWatch>());
        services.Configure<HealthCheckPublisherOptions>(looks => (looks.Delay, looks.Period, looks.Predicate) =
            (ReadinessWatch.LooksEvery, ReadinessWatch.LooksEvery, check => check.Tags.Contains(Ready)));
        services.AddHealthChecks()
            .AddCheck<StoreCheck>("store", tags: [Ready])
            .AddCheck<WriteCheck>("writes", tags: [Ready])
            .AddCheck<HolderCheck>("holder", tags: [Ready])
            .AddCheck<ClockCheck>("clock", tags: [Ready])
            .AddCheck<KeyCheck>("keys", tags: [Ready])
            .AddCheck<StoppingCheck>("stopping", tags: [Ready]);
        if (hasUpstream)
        {
            services.AddHealthChecks().AddCheck<UpstreamCheck>("upstream", tags: [Ready]);
        }

        if (readsThrough)
        {
            services.AddHealthChecks().AddCheck<ReadThroughCheck>("read-through", tags: [Ready]);
        }
    }

    public static void UseGridHealth(this IApplicationBuilder app)
    {
        var watch = app.ApplicationServices.GetRequiredService<ReadinessWatch>();
        app.UseHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        foreach (var path in new[] { "/health/ready", "/health/startup" })
        {
            app.UseHealthChecks(path, new HealthCheckOptions
            {
                Predicate = check => check.Tags.Contains(Ready),
                ResponseWriter = (context, report) => WriteAsync(context, report, watch),
            });
        }
    }

    private static Task WriteAsync(HttpContext context, HealthReport report, ReadinessWatch watch)
    {
        watch.Note(report);

        // The front is public, so it answers with a single word.
        if (KestrelHosting.IsFront(context) || !context.Request.Query.ContainsKey("verbose"))
        {
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync(report.Status.ToString());
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("status"u8, report.Status.ToString());
            json.WriteStartObject("checks"u8);
            foreach (var (name, entry) in report.Entries)
            {
                json.WriteStartObject(name);
                json.WriteString("status"u8, entry.Status.ToString());
                json.WriteString("since"u8, watch.Since(name));
                if (entry.Description is { } reason)
                {
                    json.WriteString("reason"u8, reason);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private sealed class StoreCheck(StorePulse store) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) =>
            await store.AnswersAsync() ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The store does not answer.");
    }

    private sealed class WriteCheck(IStoreCondition store) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            store.Trouble is { } trouble ? HealthCheckResult.Unhealthy(trouble.Reason) : HealthCheckResult.Healthy());
    }

    private sealed class HolderCheck(Holder holder) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            holder.IsFresh ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("This process has not heard from the store for a lease: it accepts no session."));
    }

    private sealed class ClockCheck(ClockTrust clock) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            !clock.IsTrusted ? HealthCheckResult.Unhealthy(clock.Reason is { Length: > 0 } reason ? reason : "This machine's clock has just been set to another time.")
            : clock.Reason is { Length: > 0 } doubt ? HealthCheckResult.Degraded(doubt) : HealthCheckResult.Healthy());
    }

    // Never red: sessions go on without it, and a balancer that took this silo away would end that.
    private sealed class UpstreamCheck(UpstreamPulse upstream) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            upstream.Look() is { } trouble ? HealthCheckResult.Degraded(trouble) : HealthCheckResult.Healthy());
    }

    // Never red either: sessions that are here go on.
    private sealed class ReadThroughCheck(OriginalSessions originals) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            originals.Trouble is { } trouble ? HealthCheckResult.Degraded(trouble) : HealthCheckResult.Healthy());
    }

    private sealed class StoppingCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("Shutting down.") : HealthCheckResult.Healthy());
    }
}
