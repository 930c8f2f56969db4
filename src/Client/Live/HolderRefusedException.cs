using System.Net;

namespace Grid.Client.Live;

/// <summary>Grid, or something in between, refused this service, so that an early retry is of little use.</summary>
internal sealed class HolderRefusedException : IOException
{
    private static readonly TimeSpan ShortRest = TimeSpan.FromSeconds(1.2);
    private static readonly TimeSpan LongRest = TimeSpan.FromSeconds(10);

    public HolderRefusedException(HttpStatusCode status, Exception cause)
        : base(Text(status), cause) =>
        LongestRest = status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests ? LongRest : ShortRest;

    /// <param name="reason">Grid's reason.</param>
    public HolderRefusedException(string reason)
        : base($"Grid refuses this service: {reason}") => LongestRest = LongRest;

    /// <summary>Longest pause after repeated refusals: a wrong key stays wrong and a limit stays reached, but a starting proxy or silo may be ready at any moment.</summary>
    public TimeSpan LongestRest { get; }

    private static string Text(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized => "HTTP 401: set GridOptions.ApiKey (without ASP.NET Core: GridClientOptions.ApiKey) to a key of the core API",
        HttpStatusCode.ServiceUnavailable => "HTTP 503: it is not ready, or has as many services as it takes; its log says which",
        _ => $"HTTP {(int)status} instead of a WebSocket: if it stays, check the connection URI and what stands before it",
    };
}
