using Microsoft.Extensions.Http;

namespace Grid.Client.CoreApi;

/// <summary>
/// Sends a call that changes something once, whatever handlers an application adds: the outcome of one that failed is unknown, and a create
/// that is repeated makes a second session. Reads may be repeated.
/// </summary>
internal sealed class SentOnce : DelegatingHandler
{
    private static readonly HttpRequestOptionsKey<Mark> Key = new("Grid.SentOnce");

    /// <summary>For calls that change something. Copies of the request share the mark.</summary>
    public static void Put(HttpRequestMessage request) => request.Options.Set(Key, new Mark());

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Options.TryGetValue(Key, out var mark) && !mark.TryUse()
            ? Task.FromException<HttpResponseMessage>(new HttpRequestException(
                $"{request.Method} {request.RequestUri?.AbsolutePath} changes something and is not sent again by a handler: the caller has to decide. Have it retry reads (GET) only."))
            : base.SendAsync(request, cancellationToken);

    private sealed class Mark
    {
        private int _used;

        public bool TryUse() => Interlocked.Exchange(ref _used, 1) == 0;
    }

    /// <summary>Puts it behind all that the application adds.</summary>
    internal sealed class Last : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
        {
            next(builder);
            if (builder.Name == GridClientDefaults.HttpClientName || builder.Name?.StartsWith(GridClientDefaults.HttpClientName + ":", StringComparison.Ordinal) == true)
            {
                builder.AdditionalHandlers.Add(new SentOnce());
            }
        };
    }
}
