using Grid.Client;

namespace Grid.AspNetCore;

/// <summary>Well-known names.</summary>
public static class GridDefaults
{
    /// <summary>The name of the authentication scheme.</summary>
    public const string AuthenticationScheme = "Grid";

    /// <summary>The tenant of sessions that do not name one.</summary>
    public const string TenantId = GridClientDefaults.TenantId;

    /// <summary>Request headers that the browser SDKs send; a CORS policy must allow them.</summary>
    public static IReadOnlyList<string> CorsRequestHeaders { get; } =
        ["content-type", "authorization", "anti-csrf", "rid", "fdi-version", "st-auth-mode"];
}
