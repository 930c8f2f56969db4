using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Grid.Client.CoreApi;

/// <summary>Calls the core API: JSON in, JSON out, and one meaning for each kind of failure.</summary>
internal sealed class CoreApiClient
{
    /// <summary>Version of the core driver interface that this client speaks.</summary>
    public const string CdiVersion = "5.6";

    private static readonly TimeSpan LastSignWithin = TimeSpan.FromSeconds(2);

    private readonly IHttpClientFactory _http;
    private readonly string _name;
    private readonly string _prefix;
    private readonly string? _apiKey;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _revocationTimeout;

    /// <param name="http">Makes the HTTP client.</param>
    /// <param name="options">Of the client.</param>
    /// <param name="client">The client's name; empty for the one that has none.</param>
    public CoreApiClient(IHttpClientFactory http, GridClientOptions options, string client = "")
    {
        (_http, _name) = (http, GridClientDefaults.HttpClientNameOf(client));
        _prefix = options.ConnectionUri!.GetLeftPart(UriPartial.Path).TrimEnd('/');
        (_apiKey, _timeout, _revocationTimeout) = (options.ApiKey, options.Timeout, options.RevocationTimeout);
    }

    public Task<T> PostAsync<T>(string path, JsonObject body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : CoreAnswer => SendAsync(HttpMethod.Post, path, body, type, cancellationToken);

    /// <summary>
    /// Posts a call that may end sessions: its answer comes once every process that accepts tokens has confirmed, or its lease has run out.
    /// </summary>
    public Task<T> EndAsync<T>(string path, JsonObject body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : CoreAnswer => SendAsync(HttpMethod.Post, path, body, type, cancellationToken, mayWait: true);

    public Task<CoreAnswer> PutAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, CoreAnswerJson.Default.CoreAnswer, cancellationToken);

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : CoreAnswer => SendAsync(HttpMethod.Get, path, null, type, cancellationToken);

    /// <summary>The published keys, and how long they may be cached.</summary>
    public async Task<(byte[] Json, TimeSpan? MaxAge)> GetKeysAsync(CancellationToken cancellationToken)
    {
        using var response = await CallAsync(HttpMethod.Get, "/.well-known/jwks.json", null, cancellationToken);
        return (await ReadAsync(response, cancellationToken), response.Headers.CacheControl?.MaxAge);
    }

    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, JsonObject? body, JsonTypeInfo<T> type, CancellationToken cancellationToken, bool mayWait = false)
        where T : CoreAnswer
    {
        using var response = await CallAsync(method, path, body, cancellationToken, mayWait);
        var bytes = await ReadAsync(response, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw Unexpected(path);
        }
        catch (JsonException failure)
        {
            throw Unexpected(path, failure);
        }
    }

    // Proxies may say it by a date; by whose clock is said beside it.
    private static TimeSpan? RetryAfter(HttpResponseHeaders headers) => headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when headers.Date is { } now => date > now ? date - now : TimeSpan.Zero,
        _ => null,
    };

    private async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken, bool mayWait = false)
    {
        using var request = Request(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(Text(body), Encoding.UTF8, "application/json");
            SentOnce.Put(request);
        }

        HttpResponseMessage response;
        try
        {
            response = await (mayWait ? AnswerOrSignAsync(request, cancellationToken) : AnswerAsync(request, _timeout, cancellationToken));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new GridException(GridFailure.Unavailable, $"Grid does not answer at {_prefix}.", failure);
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or GridException))
        {
            // A handler that the application has added gave up, by an exception of its own.
            throw mayWait && await HasSignAsync(LastSignWithin, cancellationToken)
                ? StillWaiting($"a handler gave up: {failure.Message}", failure)
                : new GridException(GridFailure.Unavailable, $"A handler of the HTTP client gave up on Grid at {_prefix}: {failure.Message}", failure);
        }

        // A proxy on the way timed out before we did.
        if (mayWait && response.StatusCode == HttpStatusCode.GatewayTimeout)
        {
            response.Dispose();
            throw await HasSignAsync(LastSignWithin, cancellationToken)
                ? StillWaiting("a proxy in between gave up")
                : new GridException(GridFailure.Unavailable, $"Grid does not answer at {_prefix}: a proxy in between answered 504.");
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            if ((int)response.StatusCode >= 500 || response.StatusCode == HttpStatusCode.TooManyRequests)
            {
                throw new GridException(GridFailure.Unavailable, $"Grid at {_prefix} answered {(int)response.StatusCode} to {path}.") { RetryAfter = RetryAfter(response.Headers) };
            }

            var text = (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
            var hint = response.StatusCode switch
            {
                HttpStatusCode.Unauthorized => " Set GridOptions.ApiKey (without ASP.NET Core: GridClientOptions.ApiKey) to a key of the core API.",
                HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed =>
                    " Is that the core API? Its default port is 3567; Grid's front (8080) is for browsers. Check the connection URI.",
                _ => "",
            };
            throw new GridException(GridFailure.Refused, $"Grid at {_prefix} refused {path}: {(int)response.StatusCode} {text[..Math.Min(text.Length, 300)]}.{hint}");
        }
    }

    // One client per call, as the factory intends: the lifetime of handlers is configured at registration.
    private HttpClient Http() => _http.CreateClient(_name);

    private static string Text(JsonObject body)
    {
        try
        {
            return body.ToJsonString();
        }
        catch (InvalidOperationException failure)
        {
            throw new GridException(GridFailure.Refused, "The JSON of this call has half of a surrogate pair in it, which is no character.", failure);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, _prefix + path);
        request.Headers.TryAddWithoutValidation("cdi-version", CdiVersion);
        if (_apiKey is not null)
        {
            request.Headers.TryAddWithoutValidation("api-key", _apiKey);
        }

        return request;
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, TimeSpan within, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(within);
        return await Http().SendAsync(request, limit.Token);
    }

    /// <summary>
    /// Like <see cref="AnswerAsync"/>, but waits as long as a revocation may take. A server that waits for others and one that has died
    /// look the same from here, so Grid is probed now and then.
    /// </summary>
    private async Task<HttpResponseMessage> AnswerOrSignAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_revocationTimeout);
        var answer = Http().SendAsync(request, limit.Token);
        var isSilent = false;
        while (await Task.WhenAny(answer, Task.Delay(_timeout, limit.Token)) != answer && !limit.IsCancellationRequested && !isSilent)
        {
            isSilent = !await HasSignAsync(_timeout, limit.Token) && !limit.IsCancellationRequested;
        }

        try
        {
            await (isSilent ? limit.CancelAsync() : Task.CompletedTask);
            return await answer;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (isSilent || !await HasSignAsync(LastSignWithin, cancellationToken))
            {
                throw;
            }

            throw StillWaiting($"it has taken {_revocationTimeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Whether Grid responds at all.</summary>
    private async Task<bool> HasSignAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        using var question = Request(HttpMethod.Get, "/hello");
        try
        {
            using var sign = await AnswerAsync(question, within, cancellationToken);
            return sign.StatusCode is not (HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout);
        }
        catch (Exception)
        {
            // A handler's own as well.
            return false;
        }
    }

    private GridException StillWaiting(string why, Exception? cause = null) => new(
        GridFailure.StillWaiting,
        $"Grid at {_prefix} has not acknowledged the revocation yet ({why}): a process that accepts tokens does not respond. Repeat the call to complete and confirm it.",
        cause);

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new GridException(GridFailure.Unavailable, $"Grid at {_prefix} closed the connection in the middle of its answer.", failure);
        }
    }

    private GridException Unexpected(string path, Exception? cause = null) =>
        new(GridFailure.Refused, $"What answers {path} at {_prefix} is not Grid's core API{(cause is JsonException { Path: { Length: > 1 } at } ? $" ('{at}' cannot be read)" : "")}: check the connection URI.", cause);
}
