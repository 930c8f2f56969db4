using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Endpoints;
using Grid.AspNetCore.Live;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Browser;

/// <summary>What a protected application and the silo's front have in common.</summary>
internal static class BrowserSide
{
    /// <summary>Registers it; <c>IGridSessions</c> is registered separately.</summary>
    public static IServiceCollection AddGridBrowserSide(this IServiceCollection services, Action<GridOptions> configure)
    {
        services.AddOptions<GridOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridOptions>, GridOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridOptions>, GridOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SessionRequests>();
        services.TryAddSingleton<GridErrors>();
        services.TryAddScoped<RequestWatches>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ForwardAuthTargets>());
        return services;
    }
}
