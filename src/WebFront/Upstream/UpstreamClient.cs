using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Grid.WebFront.Upstream;

/// <summary>Reaches the core behind Grid, for requests that pass through and for Grid's own.</summary>
internal sealed class UpstreamClient : IDisposable
{
    /// <summary>Says that a request has come through a Grid: one that comes back to a Grid which would send it on goes round in a circle.</summary>
    public const string HopHeader = "grid-hop";

    /// <summary>Largest answer that is read whole, in bytes.</summary>
    private const int MaxAnswer = 4 * 1024 * 1024;

    // Shorter than what servers keep, so that hardly a request meets a connection that is just being closed.
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(10);

    // An address may come to mean another machine.
    private static readonly TimeSpan OldConnection = TimeSpan.FromMinutes(2);

    private readonly UpstreamSettings _settings;

    /// <summary>Reaches it by these settings.</summary>
    /// <param name="settings">Where it is.</param>
    /// <param name="resolve">Finds the addresses of a name; null for the machine's own way.</param>
    public UpstreamClient(UpstreamSettings settings, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _settings = settings;
        resolve ??= Dns.GetHostAddressesAsync;
        Invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = settings.ConnectTimeout,
            ConnectCallback = async (connecting, cancellationToken) => new NetworkStream(
                await UpstreamAddresses.ConnectAsync(await resolve(connecting.DnsEndPoint.Host, cancellationToken), connecting.DnsEndPoint.Port, cancellationToken), ownsSocket: true),
            PooledConnectionIdleTimeout = IdleConnection,
            PooledConnectionLifetime = OldConnection,
            ActivityHeadersPropagator = DistributedContextPropagator.Current,
        });
    }

    /// <summary>Sends what is ready.</summary>
    public HttpMessageInvoker Invoker { get; }

    public void Dispose() => Invoker.Dispose();

    /// <summary>What the key is shown with, and what a circle is known by.</summary>
    public void Mark(HttpRequestHeaders headers)
    {
        headers.Remove("api-key");
        headers.Remove(HopHeader);
        if (_settings.ApiKey is { } key)
        {
            headers.TryAddWithoutValidation("api-key", key);
        }

        headers.TryAddWithoutValidation(HopHeader, "1");
    }

    /// <summary>The address of a path, which is sent as it is written.</summary>
    /// <param name="target">Path and query.</param>
    public Uri Address(string target) => new(_settings.Prefix + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    /// <summary>Asks, and reads the answer whole.</summary>
    /// <param name="method">HTTP.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="version">The <c>cdi-version</c>; null for none.</param>
    /// <param name="host">The <c>Host</c>; null for its own.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <param name="patience">How long it may take at most, besides the time-outs of the settings; null: they alone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="maxAnswer">Largest answer, in bytes.</param>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<UpstreamAnswer> AskAsync(
        string method, string target, string? version, string? host, byte[]? body, TimeSpan? patience, CancellationToken cancellationToken, int maxAnswer = MaxAnswer)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Address(target)) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Host = host;
        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation("cdi-version", version);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        }

        // Read here, and handed on without the header that would say how it is packed.
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        Mark(request.Headers);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience is { } most && most < _settings.Timeout ? most : _settings.Timeout);
        try
        {
            using var response = await Invoker.SendAsync(request, limit.Token);
            var trouble = TroubleOf(response.StatusCode);
            if (trouble != UpstreamTrouble.None)
            {
                return new UpstreamAnswer(trouble);
            }

            // A core has nowhere else to send Grid to, and Grid goes nowhere else.
            if (response.Content.Headers.ContentEncoding.Any(coding => coding != "identity") || (int)response.StatusCode is >= 300 and < 400)
            {
                return new UpstreamAnswer(UpstreamTrouble.Odd);
            }

            await response.Content.LoadIntoBufferAsync(maxAnswer, limit.Token);
            return new UpstreamAnswer(
                UpstreamTrouble.None, (int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsByteArrayAsync(limit.Token));
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            return new UpstreamAnswer(IsConnectTimeout(late) ? UpstreamTrouble.Away : UpstreamTrouble.Slow);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return new UpstreamAnswer(TroubleOf(failure));
        }
    }

    /// <summary>What a failure that is no time-out says about the core behind Grid.</summary>
    public static UpstreamTrouble TroubleOf(Exception? failure) => (failure as HttpRequestException)?.HttpRequestError switch
    {
        HttpRequestError.SecureConnectionError => UpstreamTrouble.Untrusted,
        HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => UpstreamTrouble.Odd,
        _ => UpstreamTrouble.Away,
    };

    /// <summary>What a status says about the core behind Grid itself, and not about the request.</summary>
    public static UpstreamTrouble TroubleOf(HttpStatusCode status) => status switch
    {
        // The client's key was accepted by Grid: this is about Grid's own.
        HttpStatusCode.Unauthorized => UpstreamTrouble.WrongKey,
        HttpStatusCode.LoopDetected => UpstreamTrouble.Loop,
        _ => UpstreamTrouble.None,
    };

    /// <summary>Whether the connection did not come about in time.</summary>
    public static bool IsConnectTimeout(Exception? failure) => failure is OperationCanceledException { InnerException: TimeoutException };
}
