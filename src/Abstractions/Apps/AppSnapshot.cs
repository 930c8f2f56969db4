using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>What a request needs to know of its app. Every silo keeps a copy, at most a second old.</summary>
[GenerateSerializer, Immutable, Alias("grid.app-snapshot")]
public sealed record AppSnapshot
{
    [Id(0)] public required AppKey App { get; init; }

    [Id(1)] public required SessionSettings Settings { get; init; }

    /// <summary>SHA-256 of each accepted API key; empty if the app requires none. Keys themselves are never stored.</summary>
    [Id(2)] public required ImmutableArray<TokenHash> ApiKeyHashes { get; init; }

    /// <summary>Ids of the app's tenants, <c>public</c> included.</summary>
    [Id(3)] public required ImmutableHashSet<string> TenantIds { get; init; }

    /// <summary>Whether a session's tenant is one of the app's.</summary>
    public bool HasTenantOf(SessionHandle handle) => handle.TenantId == TenantKey.PublicId || TenantIds.Contains(handle.TenantId);

    /// <summary>Requests from other addresses are refused with 403; null = no rule. A tenant may have its own: <see cref="IAppDirectory.FindRulesAsync"/>.</summary>
    [Id(4)] public string? IpAllowRegex { get; init; }

    /// <summary>Requests from these addresses are refused with 403; null = no rule. As for <see cref="IpAllowRegex"/>.</summary>
    [Id(5)] public string? IpDenyRegex { get; init; }

    /// <summary>Newest version of the core API that is offered; null = all.</summary>
    [Id(6)] public string? MaxCdiVersion { get; init; }

    /// <summary>Oldest version of the core API that is offered; null = all.</summary>
    [Id(7)] public string? MinCdiVersion { get; init; }

    /// <summary>As the settings that tenants inherit.</summary>
    public AppDefaults Effective => new()
    {
        Settings = Settings,
        ApiKeyHashes = ApiKeyHashes,
        IpAllowRegex = IpAllowRegex,
        IpDenyRegex = IpDenyRegex,
        MaxCdiVersion = MaxCdiVersion,
        MinCdiVersion = MinCdiVersion,
    };
}
