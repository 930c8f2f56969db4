using System.Collections.Immutable;

namespace Grid.Abstractions.Apps;

/// <summary>One app: its settings and the list of its tenants. Key: <see cref="AppKey"/> text.</summary>
[Alias("grid.app")]
public interface IAppGrain : IGrainWithStringKey
{
    /// <summary>The app as fronts see it; null if it does not exist. The public app of the default domain always does.</summary>
    [Alias("find")]
    Task<AppSnapshot?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Creates or updates the app and its public tenant.</summary>
    [Alias("put")]
    Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates a tenant other than <c>public</c>.</summary>
    [Alias("put-tenant")]
    Task<PutResult> PutTenantAsync(string tenantId, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of the app and forgets it.</summary>
    [Alias("remove")]
    Task<RemoveOutcome> RemoveAsync(CancellationToken cancellationToken);

    /// <summary>Ends all sessions of the tenant and forgets it.</summary>
    [Alias("remove-tenant")]
    Task<RemoveOutcome> RemoveTenantAsync(string tenantId, CancellationToken cancellationToken);

    /// <summary>Every tenant of the app, <c>public</c> first, the rest by id.</summary>
    [Alias("list-tenants")]
    Task<ImmutableArray<TenantConfig>> ListTenantsAsync(CancellationToken cancellationToken);
}
