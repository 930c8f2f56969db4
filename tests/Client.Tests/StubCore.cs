using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Client.Tests;

/// <summary>Something that answers in the core API's place whatever a test wants.</summary>
internal sealed class StubCore : HttpMessageHandler
{
    public string Answer { get; set; } = "";

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    public IGridSessions Sessions() => new ServiceCollection().AddLogging().AddGridClient()
        .AddHttpClient(GridClientDefaults.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => this).Services
        .BuildServiceProvider().GetRequiredService<IGridSessions>();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
        new HttpResponseMessage(Status) { Content = new StringContent(Answer, Encoding.UTF8, "application/json"), RequestMessage = request });
}
