using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Hosting;

/// <summary>What the silo's own checks come to, for the application's probes.</summary>
internal sealed class EmbeddedSiloHealth(EmbeddedSilo silo) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        var report = await silo.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(cancellationToken);
        return new HealthCheckResult(report.Status, string.Join(' ', report.Entries.Values.Select(entry => entry.Description).OfType<string>()));
    }
}
