using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Storage.Importing;
using Grid.WebFront.Sessions;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.Hosting.Importing;

/// <summary>Puts the database of the core that Grid replaces behind the store.</summary>
internal static class ReadThroughHosting
{
    public static void AddGridReadThrough(this IServiceCollection services, SuperTokensSource source)
    {
        var real = services.Single(service => service.ServiceType == typeof(ISessionStore)).ImplementationType!;
        services.AddSingleton(provider => new OriginalSessions(
            source, provider.GetRequiredService<IImportStore>(), (app, wanted) => TenantsAsync(provider, app, wanted), provider.GetRequiredService<TimeProvider>()));
        services.Replace(ServiceDescriptor.Singleton<ISessionStore>(provider => new ReadThroughStore(
            (ISessionStore)ActivatorUtilities.CreateInstance(provider, real), provider.GetRequiredService<OriginalSessions>(), provider.GetRequiredService<TimeProvider>())));
        services.AddSingleton(provider => new ReadThrough(IsOn: true)
        {
            RenewAsync = key => provider.GetRequiredService<OriginalSessions>().RenewAsync(key, provider.GetRequiredService<TimeProvider>().GetUtcNow()),
        });
        services.AddHostedService<OriginalKeys>();
    }

    // Looked up when it is needed: the directory is above the store. What the core behind Grid has is taken over, as when a session names it.
    internal static async ValueTask<IReadOnlySet<string>> TenantsAsync(IServiceProvider services, AppKey app, IReadOnlySet<string> wanted)
    {
        var known = (await services.GetRequiredService<IAppDirectory>().FindAsync(app, CancellationToken.None))?.TenantIds;
        if (known is null || wanted.IsSubsetOf(known) || services.GetService<ITenantsBehind>() is not { } behind)
        {
            return known ?? (IReadOnlySet<string>)new HashSet<string>();
        }

        var all = known.ToHashSet(StringComparer.Ordinal);
        foreach (var tenantId in wanted.Except(known))
        {
            if (await behind.TakeOverAsync(new TenantKey(app, tenantId)))
            {
                all.Add(tenantId);
            }
        }

        return all;
    }
}
