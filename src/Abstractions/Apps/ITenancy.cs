using Grid.Revocation.Acknowledgement;

namespace Grid.Abstractions.Apps;

/// <summary>Creates and removes domains, apps and tenants. Use only this: the grains behind it do single steps.</summary>
/// <remarks>
/// A removal is one operation of several steps: the tenant or app is marked in the store, and from then on no silo knows it; its
/// sessions are revoked; that is confirmed by every holder; keys and settings are removed. A call that is repeated after a failure at any step goes
/// through the same steps; if it is not repeated, a reminder finishes it (docs/revocation.md).
/// Every method throws <see cref="StoreUnavailableException"/> if a revocation could not be confirmed.
/// </remarks>
public interface ITenancy
{
    /// <summary>Creates or updates a domain: its public app and public tenant. An unfinished removal of that name is completed first.</summary>
    Task<PutResult> PutDomainAsync(string domain, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates an app and lists it. An unfinished removal of that name is completed first.</summary>
    Task<PutResult> PutAppAsync(AppKey app, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates a tenant. An unfinished removal of that name is completed first.</summary>
    Task<PutResult> PutTenantAsync(TenantKey tenant, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Removes a domain that has no app but <c>public</c>.</summary>
    Task<Removal> RemoveDomainAsync(string domain, CancellationToken cancellationToken);

    /// <summary>Removes an app that has no tenant but <c>public</c>.</summary>
    Task<Removal> RemoveAppAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>Removes a tenant other than <c>public</c>.</summary>
    Task<Removal> RemoveTenantAsync(TenantKey tenant, CancellationToken cancellationToken);
}

/// <summary>Answer to a removal.</summary>
/// <param name="Outcome"><c>Removed</c> also where an earlier attempt had begun.</param>
/// <param name="Receipt">How the revocation of its sessions was confirmed.</param>
public sealed record Removal(RemoveOutcome Outcome, RevocationReceipt Receipt);
