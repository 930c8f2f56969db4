using Grid.Revocation.Acknowledgement;

namespace Grid.Abstractions.Apps;

/// <summary>Makes and removes domains, apps and tenants. The only way in: the grains behind it do single steps.</summary>
/// <remarks>
/// A removal is one operation of several steps: marked in the store, from when on no silo knows the tenant or app; its sessions revoked;
/// that confirmed by everybody who accepts tokens; then forgotten. Whoever asks again after a failure, at whatever step, goes the same
/// way once more; if nobody asks, a reminder does (docs/revocation.md).
/// Every method throws <see cref="StoreUnavailableException"/> if a revocation could not be confirmed.
/// </remarks>
public interface ITenancy
{
    /// <summary>Creates or updates a domain: its public app and public tenant. What is left of a removal under that name is finished first.</summary>
    Task<PutResult> PutDomainAsync(string domain, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates an app and lists it. What is left of a removal under that name is finished first.</summary>
    Task<PutResult> PutAppAsync(AppKey app, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates a tenant. What is left of a removal under that name is finished first.</summary>
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
/// <param name="Receipt">What stands behind the end of its sessions.</param>
public sealed record Removal(RemoveOutcome Outcome, RevocationReceipt Receipt);
