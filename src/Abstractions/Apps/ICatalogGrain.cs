using System.Collections.Immutable;

namespace Grid.Abstractions.Apps;

/// <summary>The installation's list of connection-URI domains and of the apps in each. Key: 0.</summary>
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

    /// <summary>Removes an app and ends its sessions.</summary>
    [Alias("remove-app")]
    Task<RemoveOutcome> RemoveAppAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>Removes a domain that has no app but <c>public</c>.</summary>
    [Alias("remove-domain")]
    Task<RemoveOutcome> RemoveDomainAsync(string domain, CancellationToken cancellationToken);
}

/// <summary>A connection-URI domain and the ids of its apps.</summary>
[GenerateSerializer, Immutable, Alias("grid.domain-entry")]
public sealed record DomainEntry([property: Id(0)] string Domain, [property: Id(1)] ImmutableArray<string> AppIds);
