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

    private static bool IsOfGrid(ServiceDescriptor service) => service.ServiceType == typeof(IHostedService) && !service.IsKeyedService
        && Ways.Contains(Implementation(service)?.Assembly.GetName().Name);

    // A factory tells by its own type what it makes.
    private static Type? Implementation(ServiceDescriptor service) =>
        service.ImplementationType ?? service.ImplementationInstance?.GetType() ?? service.ImplementationFactory?.GetType().GenericTypeArguments[^1];
}
