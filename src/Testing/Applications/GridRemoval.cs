using Grid.Client;
using Grid.Client.CoreApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Grid.Testing.Applications;

/// <summary>Takes an application's way to Grid out of its services: client, grain client, or silo.</summary>
internal static class GridRemoval
{
    private static readonly string[] Ways = ["Grid.Client", "Grid.GrainClient", "Grid.Hosting"];

    public static void RemoveGrid(this IServiceCollection services)
    {
        services.RemoveAll<IGridSessions>();
        services.RemoveAll<CoreApiSessions>();
        foreach (var hosted in services.Where(IsOfGrid).ToList())
        {
            services.Remove(hosted);
        }

        // Of a silo in the application: what it asks is gone.
        services.PostConfigure<HealthCheckServiceOptions>(checks =>
        {
            foreach (var check in checks.Registrations.Where(check => check.Name == "grid").ToList())
            {
                checks.Registrations.Remove(check);
            }
        });
    }

    /// <summary>Gives each further app sessions in memory of its own.</summary>
    public static void ReplaceNamedGrids(this IServiceCollection services)
    {
        foreach (var named in services.Where(service => service.ServiceType == typeof(IGridSessions) && service.ServiceKey is string).ToList())
        {
            var name = (string)named.ServiceKey!;
            services.Remove(named);
            services.TryAddKeyedSingleton(name, (provider, _) => new GridTestSessions(provider.GetRequiredService<TimeProvider>()));
            services.AddKeyedSingleton<IGridSessions>(name, (provider, _) => provider.GetRequiredKeyedService<GridTestSessions>(name));

            // The address is perhaps that of a configuration which tests do not have.
            services.PostConfigure<GridClientOptions>(name, client => client.ConnectionUri ??= new Uri($"http://127.0.0.1/appid-{name}"));
        }
    }

    private static bool IsOfGrid(ServiceDescriptor service) => service.ServiceType == typeof(IHostedService) && !service.IsKeyedService
        && Ways.Contains(Implementation(service)?.Assembly.GetName().Name);

    // A factory tells by its own type what it makes.
    private static Type? Implementation(ServiceDescriptor service) =>
        service.ImplementationType ?? service.ImplementationInstance?.GetType() ?? service.ImplementationFactory?.GetType().GenericTypeArguments[^1];
}
