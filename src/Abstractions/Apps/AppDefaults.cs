using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>What an app has that sets nothing: the installation's own settings. Also an app's effective ones, which are these with its own over them.</summary>
public sealed record AppDefaults
{
    public SessionSettings Settings { get; init; } = new();

    /// <summary>SHA-256 of each accepted API key; empty = none is asked for.</summary>
    public ImmutableArray<TokenHash> ApiKeyHashes { get; init; } = [];

    public string? IpAllowRegex { get; init; }

    public string? IpDenyRegex { get; init; }

    /// <summary>Newest version of the core API that is offered; null = all.</summary>
    public string? MaxCdiVersion { get; init; }

    /// <summary>Oldest version of the core API that is offered; null = all.</summary>
    public string? MinCdiVersion { get; init; }
}
