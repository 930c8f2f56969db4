using System.Collections.Immutable;
using Grid.Revocation.Log;

namespace Grid.Abstractions.Apps;

/// <summary>One app: its settings and the list of its tenants. Key: <see cref="AppKey"/> text. Called through <see cref="ITenancy"/> for changes.</summary>
[Alias("grid.app")]
public interface IAppGrain : IGrainWithStringKey
{
    /// <summary>The app as requests see it; null if it does not exist. The public app of the default domain always does.</summary>
    [Alias("find")]
    Task<AppSnapshot?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Creates or updates the app and its public tenant.</summary>
    [Alias("put")]
    Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates a tenant other than <c>public</c>.</summary>
    [Alias("put-tenant")]
    Task<PutResult> PutTenantAsync(string tenantId, TenantChange change, CancellationToken cancellationToken);

    /// <summary>First step of the app's removal: from now on no silo knows it, and its sessions are revoked. Safe to repeat.</summary>
    /// <param name="onlyBegun">Only if a removal has begun.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <returns><c>Removing</c>, <c>NotFound</c>, <c>NotEmpty</c>, or <c>Unavailable</c>: then it may have begun.</returns>
    [Alias("begin-removal")]
    Task<RemovalStart> BeginRemovalAsync(bool onlyBegun, CancellationToken cancellationToken);

    /// <summary>Last step, after the revocation was confirmed: removes keys, tenants and settings.</summary>
    /// <param name="removal">Of <see cref="RemovalStart"/>; one that another call has finished does nothing.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    [Alias("end-removal")]
    Task<RemoveOutcome> EndRemovalAsync(Guid removal, CancellationToken cancellationToken);

    /// <summary>As <see cref="BeginRemovalAsync"/>, of a tenant other than <c>public</c>.</summary>
    [Alias("begin-tenant-removal")]
    Task<RemovalStart> BeginTenantRemovalAsync(string tenantId, bool onlyBegun, CancellationToken cancellationToken);

    /// <summary>As <see cref="EndRemovalAsync"/>, of a tenant other than <c>public</c>.</summary>
    [Alias("end-tenant-removal")]
    Task<RemoveOutcome> EndTenantRemovalAsync(string tenantId, Guid removal, CancellationToken cancellationToken);

    /// <summary>Every tenant of the app, <c>public</c> first, the rest by id.</summary>
    [Alias("list-tenants")]
    Task<ImmutableArray<TenantConfig>> ListTenantsAsync(CancellationToken cancellationToken);
}

/// <summary>Answer to the first step of a removal.</summary>
/// <param name="Outcome"><c>Removing</c> if there is something to confirm and to end.</param>
/// <param name="Removal">Id of this removal, so that a later one of the same name is not mistaken for it.</param>
/// <param name="Ended">The revocation of its sessions, to be confirmed before the last step.</param>
[GenerateSerializer, Immutable, Alias("grid.removal-start")]
public sealed record RemovalStart(
    [property: Id(0)] RemoveOutcome Outcome,
    [property: Id(1)] Guid Removal = default,
    [property: Id(2)] ImmutableArray<RevocationEntry> Ended = default);
