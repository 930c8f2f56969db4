using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.Client.CoreApi;

/// <summary>Calls of the core API: JSON there, JSON back, and one meaning for each way to fail.</summary>
internal sealed class CoreApiClient : IDisposable
{
    private const string CdiVersion = "5.6";

    private readonly HttpClient _http;
    private readonly string _prefix;

    public CoreApiClient(GridOptions options)
    {
        var uri = options.ConnectionUri!;
        _prefix = uri.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), UseCookies = false, AllowAutoRedirect = false })
        {
            Timeout = options.Timeout,
        };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("cdi-version", CdiVersion);
        if (options.ApiKey is not null)
        {
            _http.DefaultRequestHeaders.TryAddWithoutValidation("api-key", options.ApiKey);
        }
    }

    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body, cancellationToken);

    public Task<JsonObject> PutAsync(string path, JsonObject body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, path, body, cancellationToken);

    public Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>The published keys, with the life that the answer gives them.</summary>
    public async Task<(byte[] Json, CacheControlHeaderValue? Cache)> GetKeysAsync(CancellationToken cancellationToken)
    {
        using var response = await CallAsync(HttpMethod.Get, "/.well-known/jwks.json", null, cancellationToken);
        return (await ReadAsync(response, cancellationToken), response.Headers.CacheControl);
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        using var response = await CallAsync(method, path, body, cancellationToken);
        var bytes = await ReadAsync(response, cancellationToken);
        try
        {
            return JsonNode.Parse(bytes)?.AsObject() ?? throw Unexpected(path);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw Unexpected(path, failure);
        }
    }

    private async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, _prefix + path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new GridException(GridFailure.Unavailable, $"Grid does not answer at {_prefix}.", failure);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            if ((int)response.StatusCode >= 500 || response.StatusCode == HttpStatusCode.TooManyRequests)
            {
                throw new GridException(GridFailure.Unavailable, $"Grid at {_prefix} answered {(int)response.StatusCode} to {path}.");
            }

            var text = (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
            var hint = response.StatusCode == HttpStatusCode.Unauthorized ? " Set GridOptions.ApiKey to a key of the core API." : "";
            throw new GridException(GridFailure.Refused, $"Grid at {_prefix} refused {path}: {(int)response.StatusCode} {text[..Math.Min(text.Length, 300)]}.{hint}");
        }
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new GridException(GridFailure.Unavailable, $"Grid at {_prefix} broke off its answer.", failure);
        }
    }

    private GridException Unexpected(string path, Exception? cause = null) =>
        new(GridFailure.Refused, $"What answers {path} at {_prefix} is not Grid's core API: check the connection URI.", cause);
}
