using Grid.Tokens;

namespace Grid.Client;

/// <summary>Names that other code may need.</summary>
public static class GridClientDefaults
{
    /// <summary>Tenant of sessions that name none.</summary>
    public const string TenantId = SessionHandleText.PublicTenant;

    /// <summary>
    /// Name of the <c>HttpClient</c> that calls the core API: <c>services.AddHttpClient(GridClientDefaults.HttpClientName)</c> adds handlers,
    /// a proxy or a client certificate to it. The WebSocket has <see cref="GridClientOptions.ConfigureWebSocket"/>.
    /// </summary>
    public const string HttpClientName = "Grid";
}
