using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.Client.Tests;

/// <summary>The time that Grid, or a proxy before it, asks to wait before another try.</summary>
public sealed class RetryAfterTests
{
    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable, "2", 2)]
    [InlineData(HttpStatusCode.TooManyRequests, "60", 60)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "Thu, 26 Nov 2026 19:00:30 GMT", 30)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "Thu, 26 Nov 2026 18:00:00 GMT", 0)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "soon", null)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "-1", null)]
    [InlineData(HttpStatusCode.BadGateway, null, null)]
    public async Task It_is_in_the_exception(HttpStatusCode status, string? said, int? seconds)
    {
        var core = new StubCore { Status = status, RetryAfter = said };

        var failure = await Assert.ThrowsAsync<GridException>(() => core.Sessions().ListAsync("u", null, TestContext.Current.CancellationToken));

        Assert.Equal(GridFailure.Unavailable, failure.Reason);
        Assert.Equal(seconds is { } wait ? TimeSpan.FromSeconds(wait) : null, failure.RetryAfter);
    }

    [Theory]
    [InlineData(null, "1")]
    [InlineData(0.0, "1")]
    [InlineData(2.5, "3")]
    [InlineData(86_400.0, "60")]
    public async Task A_service_passes_it_on_within_reason(double? seconds, string said)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication().AddGrid();
        await using var app = builder.Build();
        TimeSpan? wait = seconds is { } time ? TimeSpan.FromSeconds(time) : null;
        app.MapGet("/", string () => throw new GridException(GridFailure.Unavailable, "away") { RetryAfter = wait });
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri(app.Urls.Single()), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, said), (answer.StatusCode, answer.Headers.RetryAfter?.ToString()));
    }
}
