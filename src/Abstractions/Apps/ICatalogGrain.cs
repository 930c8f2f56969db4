using System.Collections.Immutable;

namespace Grid.Abstractions.Apps;

/// <summary>The installation's list of connection URI domains and their apps. Key: 0.</summary>
[Alias("grid.catalog")]
public interface ICatalogGrain : IGrainWithIntegerKey
{
    /// <summary>Every domain, the default one (empty) first, each with the ids of its apps, <c>public</c> first.</summary>
    [Alias("list")]
    Task<ImmutableArray<DomainEntry>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Creates or updates a domain: its public app and public tenant.</summary>
    [Alias("put-domain")]
    Task<PutResult> PutDomainAsync(string domain, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or updates an app of a domain and lists it.</summary>
    [Alias("put-app")]
    Task<PutResult> PutAppAsync(AppKey app, TenantChange change, CancellationToken cancellationToken);

    /// <summary>Removes an app from the list.</summary>
    [Alias("unlist-app")]
    Task<RemoveOutcome> UnlistAppAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>Marks a domain that has no app but <c>public</c>, so that none is created in it.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="onlyBegun">Only if it is marked.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <returns><c>Removing</c>, <c>NotFound</c>, <c>NotEmpty</c> or <c>Unavailable</c>.</returns>
    [Alias("begin-domain-removal")]
    Task<RemoveOutcome> BeginDomainRemovalAsync(string domain, bool onlyBegun, CancellationToken cancellationToken);

    /// <summary>Removes a marked domain from the list, or only its mark.</summary>
    [Alias("end-domain-removal")]
    Task<RemoveOutcome> EndDomainRemovalAsync(string domain, bool keep, CancellationToken cancellationToken);
}

/// <summary>A connection URI domain and the ids of its apps.</summary>
[GenerateSerializer, Immutable, Alias("grid.domain-entry")]
public sealed record DomainEntry([property: Id(0)] string Domain, [property: Id(1)] ImmutableArray<string> AppIds);
