using Grid.WebFront.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.WebFront.Upstream;

/// <summary>Registers the core behind Grid.</summary>
internal static class GridUpstream
{
    /// <summary>Every route that is not Grid's goes there. Without this call they are answered 404.</summary>
    public static IServiceCollection AddGridUpstream(this IServiceCollection services, UpstreamSettings settings)
    {
        services.AddHttpForwarder();
        services.AddSingleton(settings);
        services.TryAddSingleton<UpstreamClient>();
        services.TryAddSingleton<UpstreamFailures>();
        services.TryAddSingleton<UpstreamPulse>();
        services.TryAddSingleton<UpstreamForwarder>();
        services.TryAddSingleton<UpstreamTenants>();
        services.TryAddSingleton<UpstreamSurvey>();
        services.TryAddSingleton<ITenantsBehind>(provider => provider.GetRequiredService<UpstreamTenants>());
        services.TryAddSingleton<UpstreamKeys>();
        services.TryAddSingleton<LinkedAccounts>();
        services.TryAddSingleton<IAccounts>(provider => provider.GetRequiredService<LinkedAccounts>());
        services.TryAddSingleton<AccountSessions>();
        services.TryAddSingleton<BothCores>();
        return services;
    }
}
