using Grid.Client;
using Grid.Client.Live;
using Grid.GrainClient;
using Grid.GrainClient.Clusters;
using Grid.GrainClient.Sessions;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>builder.AddGridGrainClient()</c>.</summary>
public static class GridGrainClientExtensions
{
    /// <summary>
    /// Registers <see cref="IGridSessions"/> over an Orleans client of its own, which connects to the silos' gateways in the background: the program
    /// starts whether they are there or not, and calls end in <see cref="GridFailure.Unavailable"/> meanwhile.
    /// </summary>
    /// <param name="builder">Of any kind of program.</param>
    /// <param name="configure">Where the silos are, the app and its API key.</param>
    /// <exception cref="InvalidOperationException">There is another <see cref="IGridSessions"/> already, such as that of <c>AddGridClient()</c>.</exception>
    public static IHostApplicationBuilder AddGridGrainClient(this IHostApplicationBuilder builder, Action<GridGrainClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddGridGrainClient(configure);
        return builder;
    }

    /// <inheritdoc cref="AddGridGrainClient(IHostApplicationBuilder, Action{GridGrainClientOptions})"/>
    /// <param name="services">Of any kind of program.</param>
    /// <param name="configure">Where the silos are, the app and its API key.</param>
    /// <exception cref="InvalidOperationException">There is another <see cref="IGridSessions"/> already, such as that of <c>AddGridClient()</c>.</exception>
    public static IServiceCollection AddGridGrainClient(this IServiceCollection services, Action<GridGrainClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<GridGrainClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<GridGrainClientOptions>, GridGrainOptionsRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridGrainClientOptions>, GridGrainOptionsRules>());
        if (services.All(service => service.ServiceType != typeof(OwnCluster)))
        {
            services.AddSingleton<OwnCluster>();
            services.AddHostedService(provider => provider.GetRequiredService<OwnCluster>());
        }

        services.AddGrainSessions(
            provider => provider.GetRequiredService<OwnCluster>(), provider => provider.GetRequiredService<IOptions<GridGrainClientOptions>>().Value);
        return services;
    }

    internal static void AddGrainSessions(this IServiceCollection services, Func<IServiceProvider, ICluster> cluster, Func<IServiceProvider, GridGrainOptions> options)
    {
        if (services.Count(service => service.ServiceType == typeof(OwnCluster) || service.ServiceType == typeof(GivenCluster)) > 1)
        {
            throw new InvalidOperationException("Call either AddGridGrainClient() or UseGrid(): each is a way to the silos, and the second would not be used.");
        }

        if (services.Any(service => service.ServiceType == typeof(DoorCalls)))
        {
            return;
        }

        if (services.Any(service => service.ServiceType == typeof(IGridSessions) && !service.IsKeyedService))
        {
            throw new InvalidOperationException(
                "There is an IGridSessions already, and this one would not be used. Call AddGridGrainClient() or UseGrid() before AddGridClient(), AddGrid() and AddGridTicketStore(): they take the sessions that they find. Where AddGridSilo() hosts a silo none is needed.");
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddHolderMetrics();
        services.AddSingleton(provider => new DoorCalls(cluster(provider), options(provider)));

        // One that only creates, lists and revokes is none. Stopped before what it is connected by.
        services.AddSingleton(provider => new GrainHolder(GrainSessions.Holder(
            provider.GetRequiredService<DoorCalls>(), options(provider).Timeout, provider.GetRequiredService<HolderMetrics>(), provider.GetRequiredService<ILogger<ServiceHolder>>())));
        services.AddHostedService(provider => provider.GetRequiredService<GrainHolder>());
        services.AddSingleton(provider => new GrainSessions(
            provider.GetRequiredService<DoorCalls>(), provider.GetRequiredService<GrainHolder>().Live, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IGridSessions>(provider => provider.GetRequiredService<GrainSessions>());
    }
}
