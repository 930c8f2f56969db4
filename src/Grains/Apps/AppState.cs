using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Grains.Apps;

/// <summary>What is stored of an app. The effective settings are worked out from it and the installation's defaults.</summary>
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
}
