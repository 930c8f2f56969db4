using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Storage.Importing;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.Hosting.Importing;

/// <summary>Puts the database of the core that Grid replaces behind the store.</summary>
internal static class ReadThroughHosting
{
    public static void AddGridReadThrough(this IServiceCollection services, SuperTokensSource source)
    {
        var real = services.Single(service => service.ServiceType == typeof(ISessionStore)).ImplementationType!;
        services.AddSingleton(provider => new OriginalSessions(
            source, provider.GetRequiredService<IImportStore>(), app => TenantsAsync(provider, app), provider.GetRequiredService<TimeProvider>()));
        services.Replace(ServiceDescriptor.Singleton<ISessionStore>(provider => new ReadThroughStore(
            (ISessionStore)ActivatorUtilities.CreateInstance(provider, real), provider.GetRequiredService<OriginalSessions>(), provider.GetRequiredService<TimeProvider>())));
        services.AddSingleton(new ReadThrough(IsOn: true));
        services.AddHostedService<OriginalKeys>();
    }

    // Looked up when it is needed: the directory is above the store.
    private static async ValueTask<IReadOnlySet<string>> TenantsAsync(IServiceProvider services, AppKey app) =>
        (await services.GetRequiredService<IAppDirectory>().FindAsync(app, CancellationToken.None))?.TenantIds ?? (IReadOnlySet<string>)new HashSet<string>();
}
