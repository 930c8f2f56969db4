using Grid.Client;
using Grid.Client.CoreApi;
using Grid.Client.Live;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
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
        if (services.Any(service => service.ServiceType == typeof(IGridSessions) && !service.IsKeyedService) && !services.HasCoreApi())
        {
            // From a silo in this process, or by another transport: nothing is to be asked over HTTP.
            return services;
        }

        services.AddOptions<GridClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddHolderMetrics();
        if (!services.HasCoreApi())
        {
            services.AddSingleton(provider => new ServiceHolder(
                provider.GetRequiredService<IOptions<GridClientOptions>>(), provider.GetRequiredService<HolderMetrics>(), provider.GetRequiredService<ILogger<ServiceHolder>>()));
            services.Add(ServiceDescriptor.Singleton<IHostedService, ServiceHolder>(provider => provider.GetRequiredService<ServiceHolder>()));
            services.Add(ServiceDescriptor.Singleton<IHostedService, CoreApiCheck>());
            services.AddSingleton<CoreApiSessions>();
            services.AddGridHttpClient();
        }

        services.TryAddSingleton<IGridSessions>(provider => provider.GetRequiredService<CoreApiSessions>());
        return services;
    }

    /// <summary>
    /// Registers a further <see cref="IGridSessions"/>, for another app: <c>[FromKeyedServices("other")] IGridSessions</c>. It has its own options
    /// (<c>GridClientOptions</c> of that name), connections, keys and knowledge of sessions.
    /// </summary>
    /// <param name="services">Of any kind of program.</param>
    /// <param name="name">The service key, and the name of the options.</param>
    /// <param name="configure">Where the app is, unless the connection string of that name says so.</param>
    /// <remarks>A keyed <see cref="IGridSessions"/> that is there already stays. Two clients of one app are refused at the start.</remarks>
    public static IServiceCollection AddGridClient(this IServiceCollection services, string name, Action<GridClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configure);
        var has = services.Any(service => service.ServiceType == typeof(CoreApiSessions) && Equals(service.ServiceKey, name));
        if (!has && services.Any(service => service.ServiceType == typeof(IGridSessions) && Equals(service.ServiceKey, name)))
        {
            return services;
        }

        services.AddOptions<GridClientOptions>(name).Configure(configure).ValidateOnStart();
        if (has)
        {
            return services;
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridClientOptions>, GridClientOptionsRules>());
        services.TryAddSingleton(TimeProvider.System);
        foreach (var other in services.Where(service => service.ServiceType == typeof(CoreApiSessions)).Select(service => service.ServiceKey as string ?? "").ToList())
        {
            services.AddOptions<GridClientOptions>(name).Validate<IServiceProvider>(
                (options, provider) => Name(options) != Name(Options(provider, other)),
                $"The Grid client '{name}' has the same ConnectionUri as {(other.Length == 0 ? "the one without a name" : $"'{other}'")}: each would accept the other's tokens. Give it an app of its own (…/appid-{name}), or leave it out.");
        }

        services.AddHolderMetrics();
        services.AddKeyedSingleton(name, (provider, _) => new ServiceHolder(
            Microsoft.Extensions.Options.Options.Create(Options(provider, name)), provider.GetRequiredService<HolderMetrics>(), provider.GetRequiredService<ILogger<ServiceHolder>>(), name));
        services.Add(ServiceDescriptor.Singleton<IHostedService, ServiceHolder>(provider => provider.GetRequiredKeyedService<ServiceHolder>(name)));
        services.Add(ServiceDescriptor.Singleton<IHostedService, CoreApiCheck>(provider => new CoreApiCheck(
            provider.GetRequiredService<IHttpClientFactory>(), Microsoft.Extensions.Options.Options.Create(Options(provider, name)), provider.GetRequiredService<ILogger<CoreApiCheck>>(), name)));
        services.AddKeyedSingleton(name, (provider, _) => new CoreApiSessions(
            new CoreApiClient(provider.GetRequiredService<IHttpClientFactory>(), Options(provider, name), name),
            provider.GetRequiredKeyedService<ServiceHolder>(name), provider.GetRequiredService<TimeProvider>()));
        services.AddKeyedSingleton<IGridSessions>(name, (provider, _) => provider.GetRequiredKeyedService<CoreApiSessions>(name));
        services.AddGridHttpClient(name);
        return services;
    }

    /// <summary>What any holder shows of itself, by whatever transport.</summary>
    internal static void AddHolderMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<HolderMetrics>();
    }

    private static bool HasCoreApi(this IServiceCollection services) => services.Any(service => service.ServiceType == typeof(CoreApiSessions) && !service.IsKeyedService);

    private static GridClientOptions Options(IServiceProvider services, string name) => services.GetRequiredService<IOptionsMonitor<GridClientOptions>>().Get(name);

    // Each app has a path; the public one may be written with or without it.
    private static string? Name(GridClientOptions options) => options.ConnectionUri is not { IsAbsoluteUri: true } uri ? null
        : uri.GetLeftPart(UriPartial.Path).TrimEnd('/') is var path && path.EndsWith("/appid-public", StringComparison.OrdinalIgnoreCase) ? path[..^"/appid-public".Length] : path;

    private static void AddGridHttpClient(this IServiceCollection services, string client = "")
    {
        services.TryAddEnumerable(ServiceDescriptor.Transient<IHttpMessageHandlerBuilderFilter, SentOnce.Last>());
        services.AddHttpClient(GridClientDefaults.HttpClientNameOf(client), http => http.Timeout = Timeout.InfiniteTimeSpan)

            // Every call has its own time limit. The handler is kept for the life of the process so that connections are reused; they are
            // recycled now and then so that DNS changes are noticed.
            .UseSocketsHttpHandler((handler, _) => (handler.PooledConnectionLifetime, handler.UseCookies, handler.AllowAutoRedirect) = (ConnectionLife, false, false))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)

            // Two lines per call at Information would drown out the application's own log.
            .RemoveAllLoggers();
    }
}
