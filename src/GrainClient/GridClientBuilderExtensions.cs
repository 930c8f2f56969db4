using Grid.Client;
using Grid.GrainClient;
using Grid.GrainClient.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Orleans.Hosting;

/// <summary><c>client.UseGrid()</c>.</summary>
public static class GridClientBuilderExtensions
{
    /// <summary>
    /// Registers <see cref="IGridSessions"/> over the Orleans client that the application has already, if that is connected to Grid's silos. How it finds
    /// them, and what happens while they are away, is the application's own choice.
    /// </summary>
    /// <param name="client">The application's.</param>
    /// <param name="configure">The app and its API key.</param>
    /// <exception cref="InvalidOperationException">There is another <see cref="IGridSessions"/> already, such as that of <c>AddGridClient()</c>.</exception>
    public static IClientBuilder UseGrid(this IClientBuilder client, Action<GridGrainOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(client);
        var services = client.Services;
        services.AddOptions<GridGrainOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GridGrainOptions>, GridGrainOptionsRules>());
        if (services.All(service => service.ServiceType != typeof(GivenCluster)))
        {
            services.AddSingleton<GivenCluster>();
            client.AddGatewayCountChangedHandler(provider => provider.GetRequiredService<GivenCluster>().Losses.OnGatewayCountChanged);
        }

        services.AddGrainSessions(
            provider => provider.GetRequiredService<GivenCluster>(), provider => provider.GetRequiredService<IOptions<GridGrainOptions>>().Value);
        return client;
    }
}
