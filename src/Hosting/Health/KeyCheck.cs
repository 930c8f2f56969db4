using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.SigningKeys;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Grid.Hosting.Health;

/// <summary>Whether stored keys open. Red only if no app is left that this silo can create and refresh sessions for.</summary>
/// <remarks>
/// Every silo has the same keys, so red is red everywhere: one app's lost key must not take the others' silos away from their balancer.
/// </remarks>
internal sealed class KeyCheck(UnreadableKeys keys, IAppDirectory apps, IKeyRings rings, IGrainFactory grains) : IHealthCheck
{
    private const int NamedKeys = 10;

    // A working app is found among the first, or there is hardly one.
    private const int MaxAppsRead = 20;

    // Of the keys by which refresh tokens are read and made: without it neither creates nor refreshes are answered.
    private const string OfRefreshTokens = "m-";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        if (keys.ByApp.Count == 0)
        {
            return HealthCheckResult.Healthy();
        }

        // Without a balancer's requests nothing else would find out that a key was replaced.
        foreach (var app in keys.ByApp.Keys.Take(MaxAppsRead))
        {
            await ReadAsync(app, cancellationToken);
        }

        List<string> closed = [.. keys.ByApp.SelectMany(app => app.Value.Select(kid => $"{kid} of app {app.Key}"))];
        if (closed.Count == 0)
        {
            return HealthCheckResult.Healthy();
        }

        var reason = $"{closed.Count} stored keys cannot be opened: {string.Join(", ", closed.Take(NamedKeys))}{(closed.Count > NamedKeys ? ", …" : "")}.";
        return !keys.ByApp.Keys.Any(IsShut) || await AnyAppWorksAsync(cancellationToken)
            ? HealthCheckResult.Degraded(reason)
            : HealthCheckResult.Unhealthy($"{reason} No app can create or refresh sessions.");
    }

    private async Task<bool> AnyAppWorksAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var app in (await grains.GetGrain<ICatalogGrain>(0).ListAsync(cancellationToken))
                .SelectMany(domain => domain.AppIds.Select(id => new AppKey(domain.Domain, id))).Where(app => !IsShut(app)).Take(MaxAppsRead))
            {
                if (await ReadAsync(app, cancellationToken) && !IsShut(app))
                {
                    return true;
                }
            }

            return false;
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException)
        {
            // Another check's finding.
            return true;
        }
    }

    private bool IsShut(AppKey app) =>
        keys.ByApp.TryGetValue(app, out var closed) && closed.Any(kid => kid.StartsWith(OfRefreshTokens, StringComparison.Ordinal));

    // From memory, unless a change was announced or it is time to look again.
    private async Task<bool> ReadAsync(AppKey name, CancellationToken cancellationToken)
    {
        try
        {
            if (await apps.FindAsync(name, cancellationToken) is not { } app)
            {
                return false;
            }

            await rings.GetAsync(app, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException)
        {
            // The same.
            return true;
        }
    }
}
