using System.Diagnostics.CodeAnalysis;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Refresh;

/// <summary>Reads refresh tokens that an app's keys authenticate: Grid's own, and those that came with imported sessions.</summary>
internal static class RefreshTokens
{
    /// <summary>Reads one of this app; refuses anything else without an exception.</summary>
    /// <param name="token">As presented.</param>
    /// <param name="ring">The app's keys.</param>
    /// <param name="app">Text of the app's key.</param>
    /// <param name="content">What it holds.</param>
    public static bool TryRead(string? token, KeyRing ring, string app, [NotNullWhen(true)] out RefreshTokenContent? content)
    {
        ArgumentNullException.ThrowIfNull(ring);
        if (RefreshTokenCodec.TryRead(token, ring.Mac, out content))
        {
            return content.App == app;
        }

        foreach (var key in ring.ImportedRefreshKeys)
        {
            if (key.TryOpen(token, app, out content))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the token looks like an imported one of a core whose key the ring does not hold: one that was just imported is then found by a reload.</summary>
    public static bool LacksKeyFor(string? token, KeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        return ring.ImportedRefreshKeys.IsEmpty && ImportedRefreshKey.LooksForeign(token);
    }

    /// <summary>Whether text has the form of another core's refresh token. Proves nothing.</summary>
    public static bool LooksForeign(string? token) => ImportedRefreshKey.LooksForeign(token);

    /// <summary>Whether text has the form of a refresh token that this service accepts. Proves nothing.</summary>
    public static bool LooksOurs(string? token) => RefreshTokenCodec.LooksOurs(token) || ImportedRefreshKey.LooksForeign(token);
}
