using System.Collections.Immutable;
using System.Globalization;
using Grid.Abstractions.Settings;
using Grid.Tokens.Access;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Core;

/// <summary>A version of the core driver interface. Source: <c>docs/protocol/core.md</c>, "Versions".</summary>
internal readonly record struct CdiVersion(int Major, int Minor) : IComparable<CdiVersion>
{
    public static CdiVersion V3 { get; } = new(3, 0);

    public static CdiVersion V4 { get; } = new(4, 0);

    public static CdiVersion V5 { get; } = new(5, 0);

    /// <summary>From this version on refresh tokens rotate immediately.</summary>
    public static CdiVersion V56 { get; } = new(5, 6);

    /// <summary>Every version served, oldest first.</summary>
    public static ImmutableArray<CdiVersion> Supported { get; } = [.. CdiVersions.Supported.Select(text => Of(text)!.Value)];

    public static CdiVersion Newest => Supported[^1];

    public ClientRules Rules => new(
        this < V3 ? AccessTokenVersion.V3 : this < V4 ? AccessTokenVersion.V4 : AccessTokenVersion.V5,
        OlderRotation: this < V56);

    public static bool TryParse(string text, out CdiVersion version)
    {
        version = default;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (text.Length is < 3 or > 7 || dot <= 0
            || !int.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            || !int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            return false;
        }

        version = new CdiVersion(major, minor);
        return true;
    }

    /// <summary>A supported version; null for any other text, such as a bound that only another version of Grid knows.</summary>
    public static CdiVersion? Of(string? text) =>
        text is not null && CdiVersions.Supported.Contains(text) && TryParse(text, out var version) ? version : null;

    public int CompareTo(CdiVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    public override string ToString() => $"{Major}.{Minor}";

    public static bool operator <(CdiVersion left, CdiVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(CdiVersion left, CdiVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(CdiVersion left, CdiVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(CdiVersion left, CdiVersion right) => left.CompareTo(right) >= 0;
}
