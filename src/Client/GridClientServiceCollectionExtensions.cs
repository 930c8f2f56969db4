using Grid.Client;
using Grid.Client.CoreApi;
using Grid.Client.Live;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>services.AddGridClient()</c>.</summary>
public static class GridClientServiceCollectionExtensions
{
    /// <summary>Registers <see cref="IGridSessions"/> over the core API, for any kind of program.</summary>
    public static IServiceCollection AddGridClient(this IServiceCollection services) => services.AddGridClient(_ => { });

    /// <inheritdoc cref="AddGridClient(IServiceCollection)"/>
    public static IServiceCollection AddGridClient(this IServiceCollection services, Action<GridClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<GridClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(service => service.ServiceType != typeof(LiveSessions)))
        {
            services.AddSingleton<LiveSessions>();
            services.AddHostedService(provider => provider.GetRequiredService<LiveSessions>());
        }

        services.TryAddSingleton<CoreApiSessions>();
        services.TryAddSingleton<IGridSessions>(provider => provider.GetRequiredService<CoreApiSessions>());
        return services;
    }
}
