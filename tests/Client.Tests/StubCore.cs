using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Client.Tests;

/// <summary>Something that answers in the core API's place whatever a test wants.</summary>
internal sealed class StubCore : HttpMessageHandler
{
    public string Answer { get; set; } = "";

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    /// <summary>As written; null: none.</summary>
    public string? RetryAfter { get; set; }

    public IGridSessions Sessions() => new ServiceCollection().AddLogging().AddGridClient()
        .AddHttpClient(GridClientDefaults.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => this).Services
        .BuildServiceProvider().GetRequiredService<IGridSessions>();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = new HttpResponseMessage(Status) { Content = new StringContent(Answer, Encoding.UTF8, "application/json"), RequestMessage = request };
        response.Headers.TryAddWithoutValidation("Date", "Thu, 26 Nov 2026 19:00:00 GMT");
        if (RetryAfter is { } wait)
        {
            response.Headers.TryAddWithoutValidation("Retry-After", wait);
        }

        return Task.FromResult(response);
    }
}
