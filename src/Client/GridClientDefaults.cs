using Grid.Tokens;

namespace Grid.Client;

/// <summary>Well-known names.</summary>
public static class GridClientDefaults
{
    /// <summary>The tenant of sessions that do not name one.</summary>
    public const string TenantId = SessionHandleText.PublicTenant;

    /// <summary>
    /// The name of the <c>HttpClient</c> that calls the core API: <c>services.AddHttpClient(GridClientDefaults.HttpClientName)</c> adds handlers,
    /// a proxy or a client certificate to it. The WebSocket has <see cref="GridClientOptions.ConfigureWebSocket"/>. That of a further client is
    /// followed by a colon and the client's name, as in <c>Grid:other</c>.
    /// </summary>
    public const string HttpClientName = "Grid";

    internal static string HttpClientNameOf(string client) => client.Length == 0 ? HttpClientName : $"{HttpClientName}:{client}";
}
