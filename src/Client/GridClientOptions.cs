using System.Net.WebSockets;

namespace Grid.Client;

/// <summary>How a service reaches Grid.</summary>
public class GridClientOptions
{
    private static readonly GridClientOptions Standard = new();

    /// <summary>The core API, e.g. <c>http://127.0.0.1:3567</c> or <c>…/appid-shop</c>. Default: the configuration's connection string <c>Grid</c>, else <c>http://127.0.0.1:3567</c>.</summary>
    public Uri? ConnectionUri { get; set; }

    /// <summary>Key of the core API, if it asks for one.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Longest wait for the core API, and for a sign that it lives while a revocation waits. Default 10 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longest wait for a revocation's acknowledgement; then <see cref="GridFailure.StillWaiting"/>. Default 90 s, more than the 75.25 s
    /// that the longest lease can take when a process that accepts tokens has died. In a healthy system it takes milliseconds.
    /// </summary>
    public TimeSpan RevocationTimeout { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// Sets a proxy, a client certificate, headers and the like of the WebSocket by which revocations are heard of; called for each
    /// attempt to connect. The API key and the intervals by which a dead connection is noticed are set after it.
    /// </summary>
    public Action<ClientWebSocketOptions>? ConfigureWebSocket { get; set; }

    /// <summary>Gives what was set here to others of this kind.</summary>
    internal void CopyTo(GridClientOptions options)
    {
        options.ConnectionUri = ConnectionUri ?? options.ConnectionUri;
        options.ApiKey = ApiKey ?? options.ApiKey;
        options.ConfigureWebSocket = ConfigureWebSocket ?? options.ConfigureWebSocket;
        options.Timeout = Timeout == Standard.Timeout ? options.Timeout : Timeout;
        options.RevocationTimeout = RevocationTimeout == Standard.RevocationTimeout ? options.RevocationTimeout : RevocationTimeout;
    }
}
