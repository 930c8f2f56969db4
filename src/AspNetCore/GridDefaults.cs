using Grid.Client;

namespace Grid.AspNetCore;

/// <summary>Names that other code may need.</summary>
public static class GridDefaults
{
    /// <summary>Name of the authentication scheme.</summary>
    public const string AuthenticationScheme = "Grid";

    /// <summary>Tenant of sessions that name none.</summary>
    public const string TenantId = GridClientDefaults.TenantId;

    /// <summary>Request headers that the browser SDKs send; a CORS policy must allow them.</summary>
    public static IReadOnlyList<string> CorsRequestHeaders { get; } =
        ["content-type", "authorization", "anti-csrf", "rid", "fdi-version", "st-auth-mode"];
}
