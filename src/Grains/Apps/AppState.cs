using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Grains.Apps;

/// <summary>An app as stored. Its effective settings are computed from this and the installation's defaults.</summary>
[GenerateSerializer, Alias("grid.app-state")]
internal sealed record AppState
{
    [Id(0)] public bool Exists { get; init; }

    /// <summary>The app's own core config, without API keys.</summary>
    [Id(1)] public string CoreConfigJson { get; init; } = "{}";

    /// <summary>Null = the installation's keys apply.</summary>
    [Id(2)] public ImmutableArray<TokenHash>? ApiKeyHashes { get; init; }

    /// <summary>Tenants other than <c>public</c>.</summary>
    [Id(3)] public ImmutableSortedSet<string> TenantIds { get; init; } = [];

    /// <summary>The app is being removed: no silo knows it, but the revocation of its sessions is not confirmed yet.</summary>
    [Id(4)] public Guid? Removal { get; init; }

    /// <summary>Tenants that are being removed, with the ids of those removals. None of them is in <see cref="TenantIds"/>.</summary>
    [Id(5)]
    public ImmutableSortedDictionary<string, Guid> TenantRemovals { get; init; } = ImmutableSortedDictionary.Create<string, Guid>(StringComparer.Ordinal);
}
