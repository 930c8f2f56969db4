using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Silo.Health;

/// <summary>Probes: <c>/health/live</c> (this process), <c>/health/ready</c> and <c>/health/startup</c> (store answers, leases are renewed, not shutting down). No key.</summary>
internal static class GridHealth
{
    private const string Ready = "ready";

    public static void AddGridHealth(this IServiceCollection services) => services.AddHealthChecks()
        .AddCheck<StoreCheck>("store", tags: [Ready])
        .AddCheck<HolderCheck>("holder", tags: [Ready])
        .AddCheck<ClockCheck>("clock", tags: [Ready])
        .AddCheck<StoppingCheck>("stopping", tags: [Ready]);

    public static void UseGridHealth(this IApplicationBuilder app)
    {
        app.UseHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.UseHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready) });
        app.UseHealthChecks("/health/startup", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready) });
    }

    private sealed class StoreCheck(IStoreHealth store, IStoreCondition condition) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
        {
            try
            {
                await store.PingAsync(cancellationToken);
                return condition.Trouble is { } trouble ? HealthCheckResult.Unhealthy(trouble.Reason) : HealthCheckResult.Healthy();
            }
            catch (Abstractions.StoreUnavailableException)
            {
                return HealthCheckResult.Unhealthy("The store does not answer.");
            }
        }
    }

    private sealed class HolderCheck(Holder holder) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            holder.IsFresh ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("This process has not heard from the store for a lease: it accepts no session."));
    }

    private sealed class ClockCheck(ClockTrust clock) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            clock.IsTrusted ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(clock.Reason));
    }

    private sealed class StoppingCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
            lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("Shutting down.") : HealthCheckResult.Healthy());
    }
}
