using Grid.Client;
using Grid.Client.CoreApi;
using Grid.Client.Live;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>services.AddGridClient()</c>.</summary>
public static class GridClientServiceCollectionExtensions
{
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(5);

    /// <summary>Registers <see cref="IGridSessions"/> over the core API, for any kind of .NET program.</summary>
    public static IServiceCollection AddGridClient(this IServiceCollection services) => services.AddGridClient(_ => { });

    /// <inheritdoc cref="AddGridClient(IServiceCollection)"/>
    public static IServiceCollection AddGridClient(this IServiceCollection services, Action<GridClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(service => service.ServiceType == typeof(IGridSessions)) && services.All(service => service.ServiceType != typeof(CoreApiSessions)))
        {
            // From a silo in this process, or by another transport: nothing is to be asked over HTTP.
            return services;
        }

        services.AddOptions<GridClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(service => service.ServiceType != typeof(CoreApiSessions)))
        {
            services.AddSingleton(provider => new ServiceHolder(provider.GetRequiredService<IOptions<GridClientOptions>>(), provider.GetRequiredService<ILogger<ServiceHolder>>()));
            services.AddHostedService(provider => provider.GetRequiredService<ServiceHolder>());
            services.AddHostedService<CoreApiCheck>();
            services.AddSingleton<CoreApiSessions>();
            services.AddGridHttpClient();
        }

        services.TryAddSingleton<IGridSessions>(provider => provider.GetRequiredService<CoreApiSessions>());
        return services;
    }

    private static void AddGridHttpClient(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Transient<IHttpMessageHandlerBuilderFilter, SentOnce.Last>());
        services.AddHttpClient(GridClientDefaults.HttpClientName, http => http.Timeout = Timeout.InfiniteTimeSpan)

            // Every call has its own time limit. The handler is kept for the life of the process so that connections are reused; they are
            // recycled now and then so that DNS changes are noticed.
            .UseSocketsHttpHandler((handler, _) => (handler.PooledConnectionLifetime, handler.UseCookies, handler.AllowAutoRedirect) = (ConnectionLife, false, false))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)

            // Two lines per call at Information would drown out the application's own log.
            .RemoveAllLoggers();
    }
}
