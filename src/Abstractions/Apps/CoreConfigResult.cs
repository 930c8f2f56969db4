using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>An app's or tenant's <c>coreConfig</c> after a change.</summary>
public sealed record CoreConfigResult
{
    /// <summary>Why the change was refused; nothing else is set then.</summary>
    public string? Error { get; init; }

    /// <summary>Its own values as one JSON object, API keys left out.</summary>
    public string StoredJson { get; init; } = "{}";

    /// <summary>Its values over those that it inherits; API keys are the inherited ones.</summary>
    public AppDefaults Effective { get; init; } = new();

    /// <summary>Of <see cref="Effective"/>.</summary>
    public SessionSettings Settings => Effective.Settings;

    /// <summary>Of <see cref="Effective"/>.</summary>
    public string? IpAllowRegex => Effective.IpAllowRegex;

    /// <summary>Of <see cref="Effective"/>.</summary>
    public string? IpDenyRegex => Effective.IpDenyRegex;

    /// <summary>Whether the change mentioned API keys.</summary>
    public bool ApiKeysChanged { get; init; }

    /// <summary>The keys that it set; null if they were unset, so that the inherited ones apply.</summary>
    public ImmutableArray<TokenHash>? OwnApiKeyHashes { get; init; }
}
