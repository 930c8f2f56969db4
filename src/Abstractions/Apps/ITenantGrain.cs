namespace Grid.Abstractions.Apps;

/// <summary>One tenant's own configuration. Key: <see cref="TenantKey"/> text. Existence is decided by the app's grain.</summary>
[Alias("grid.tenant")]
public interface ITenantGrain : IGrainWithStringKey
{
    /// <summary>The configuration; null if the tenant was never created or was removed.</summary>
    [Alias("find")]
    Task<TenantConfig?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Creates or updates the configuration. Called by the app's grain only.</summary>
    [Alias("put")]
    Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken);

    /// <summary>Creates or replaces a third-party provider entry, which some SDKs keep here.</summary>
    [Alias("put-provider")]
    Task<PutResult> PutThirdPartyProviderAsync(string thirdPartyId, string configJson, CancellationToken cancellationToken);

    /// <summary>Removes a third-party provider entry.</summary>
    [Alias("remove-provider")]
    Task<RemoveOutcome> RemoveThirdPartyProviderAsync(string thirdPartyId, CancellationToken cancellationToken);

    /// <summary>Removes the configuration. Called by the app's grain only.</summary>
    [Alias("remove")]
    Task<RemoveOutcome> RemoveAsync(CancellationToken cancellationToken);
}
