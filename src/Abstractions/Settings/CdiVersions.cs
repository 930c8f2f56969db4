using System.Collections.Immutable;

namespace Grid.Abstractions.Settings;

/// <summary>Versions of the core API (SuperTokens' "core driver interface") that Grid serves.</summary>
public static class CdiVersions
{
    /// <summary>Oldest first.</summary>
    public static ImmutableArray<string> Supported { get; } = ["2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6"];

    /// <summary>Whether <paramref name="left"/> came out before <paramref name="right"/>; both are supported.</summary>
    public static bool IsOlder(string left, string right) => Supported.IndexOf(left) < Supported.IndexOf(right);
}
