using Grid.Hosting.Health;
using Grid.Hosting.Settings;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Hosting.Secrets;

/// <summary>Whether the files with the installation's API keys can be used as they are now. Never red: the keys that were read before are in force.</summary>
internal sealed class ApiKeyCheck(ApiKeyWatch watch) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) => Task.FromResult(
        watch.Trouble is { } trouble ? HealthCheckResult.Degraded(trouble) : HealthCheckResult.Healthy());
}

/// <summary>Registers what looks after API keys in files.</summary>
internal static class ApiKeyWatching
{
    /// <param name="services">Of the silo.</param>
    /// <param name="files">Null: nothing is added, and readiness has no such check.</param>
    public static void AddApiKeyWatch(this IServiceCollection services, ApiKeyFiles? files)
    {
        if (files is null)
        {
            return;
        }

        services.AddSingleton(files);
        services.AddSingleton<ApiKeyWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiKeyWatch>());
        services.AddHealthChecks().AddCheck<ApiKeyCheck>("apiKeys", tags: [GridHealth.Ready]);
    }
}
