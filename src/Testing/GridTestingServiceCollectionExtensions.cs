using Grid.Client;
using Grid.Testing;
using Grid.Testing.Applications;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>services.AddGridTesting()</c>, after the application's own registrations.</summary>
public static class GridTestingServiceCollectionExtensions
{
    /// <summary>
    /// Puts <see cref="GridTestSessions"/> in the place of whatever Grid the application uses, by <c>AddGrid()</c>, <c>AddGridTicketStore()</c>,
    /// <c>AddGridClient()</c>, <c>AddGridGrainClient()</c> or <c>AddGridSilo()</c>. They go by the <see cref="TimeProvider"/> that is registered.
    /// </summary>
    /// <param name="services">The application's, complete.</param>
    public static IServiceCollection AddGridTesting(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        return services.AddGridTesting(provider => new GridTestSessions(provider.GetRequiredService<TimeProvider>()));
    }

    /// <inheritdoc cref="AddGridTesting(IServiceCollection)"/>
    /// <param name="services">The application's, complete.</param>
    /// <param name="sessions">Sessions that the test has already, to share them between applications or to go by a clock of their own.</param>
    public static IServiceCollection AddGridTesting(this IServiceCollection services, GridTestSessions sessions)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(sessions);
        services.TryAddSingleton(TimeProvider.System);
        return services.AddGridTesting(_ => sessions);
    }

    /// <summary>
    /// Connects the application to a <see cref="GridTestHost"/>, over HTTP as in production, whatever Grid it uses otherwise. Its
    /// <see cref="TimeProvider"/> is the host's clock from then on.
    /// </summary>
    /// <param name="services">The application's, complete.</param>
    /// <param name="grid">Must outlive the application.</param>
    public static IServiceCollection AddGridTesting(this IServiceCollection services, GridTestHost grid)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(grid);
        services.RemoveGrid();
        services.Replace(ServiceDescriptor.Singleton<TimeProvider>(grid.Clock));
        services.AddGridClient();
        services.PostConfigure<GridClientOptions>(options => (options.ConnectionUri, options.ApiKey, options.ConfigureWebSocket) = (grid.CoreApi, null, null));
        return services.AddSignedInClients();
    }

    private static IServiceCollection AddGridTesting(this IServiceCollection services, Func<IServiceProvider, GridTestSessions> sessions)
    {
        services.RemoveGrid();
        services.RemoveAll<GridTestSessions>();
        services.AddSingleton(sessions);
        services.AddSingleton<IGridSessions>(provider => provider.GetRequiredService<GridTestSessions>());
        services.ReplaceNamedGrids();
        return services.AddSignedInClients();
    }

    private static IServiceCollection AddSignedInClients(this IServiceCollection services)
    {
        services.AddAuthentication();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, ClientSessions>());
        return services;
    }
}
