using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>Settings of an app that sets nothing: the installation's. Also an app's effective settings, which override these with its own.</summary>
public sealed record AppDefaults
{
    public SessionSettings Settings { get; init; } = new();

    /// <summary>SHA-256 of each accepted API key; empty: none is required.</summary>
    public ImmutableArray<TokenHash> ApiKeyHashes { get; init; } = [];

    public string? IpAllowRegex { get; init; }

    public string? IpDenyRegex { get; init; }

    /// <summary>Newest version of the core API that is offered; null = all.</summary>
    public string? MaxCdiVersion { get; init; }

    /// <summary>Oldest version of the core API that is offered; null = all.</summary>
    public string? MinCdiVersion { get; init; }
}
