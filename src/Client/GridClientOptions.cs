using System.Net.WebSockets;

namespace Grid.Client;

/// <summary>How a service connects to Grid.</summary>
public class GridClientOptions
{
    private static readonly GridClientOptions Standard = new();

    /// <summary>
    /// Address of the core API, e.g. <c>http://127.0.0.1:3567</c> or <c>…/appid-shop</c>. Default: the configuration's connection string
    /// <c>Grid</c>, else <c>http://127.0.0.1:3567</c>; of a further client the connection string of its name, which there must be.
    /// </summary>
    public Uri? ConnectionUri { get; set; }

    /// <summary>The API key, if the core API requires one.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// How long to wait for an answer from the core API, and how often to check that it is still there while a revocation is pending.
    /// Default 10 s.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to wait for a revocation to be acknowledged before giving up with <see cref="GridFailure.StillWaiting"/>. Default 90 s:
    /// more than the 75.25 s that the longest lease can cost when a process that accepts tokens has died. A healthy system takes
    /// milliseconds.
    /// </summary>
    public TimeSpan RevocationTimeout { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// Configures the WebSocket that delivers revocations: proxy, client certificate, headers. Called before each connection attempt;
    /// the API key and the keep-alive intervals are set afterwards.
    /// </summary>
    public Action<ClientWebSocketOptions>? ConfigureWebSocket { get; set; }

    /// <summary>Copies what was set here.</summary>
    internal void CopyTo(GridClientOptions options)
    {
        options.ConnectionUri = ConnectionUri ?? options.ConnectionUri;
        options.ApiKey = ApiKey ?? options.ApiKey;
        options.ConfigureWebSocket = ConfigureWebSocket ?? options.ConfigureWebSocket;
        options.Timeout = Timeout == Standard.Timeout ? options.Timeout : Timeout;
        options.RevocationTimeout = RevocationTimeout == Standard.RevocationTimeout ? options.RevocationTimeout : RevocationTimeout;
    }
}
