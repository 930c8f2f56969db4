using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>The installation's own settings: what an app has that sets nothing.</summary>
public sealed record AppDefaults
{
    public SessionSettings Settings { get; init; } = new();

    /// <summary>SHA-256 of each accepted API key; empty = none is asked for.</summary>
    public ImmutableArray<TokenHash> ApiKeyHashes { get; init; } = [];

    public string? IpAllowRegex { get; init; }

    public string? IpDenyRegex { get; init; }
}
