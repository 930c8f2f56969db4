using System.Net;
using Grid.AspNetCore.Endpoints;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Tests;

/// <summary>Event streams hold connections for hours: so many and no more.</summary>
public sealed class EventStreamTests(CoreHost core)
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");

    [Fact]
    public async Task A_session_has_so_many_streams_and_is_told_to_wait_for_another()
    {
        using var browser = new TestBrowser(core.FrontUrl, "header");
        await browser.PostAsync("/first-page/session", null, ("rid", "session"));
        using var http = new HttpClient { BaseAddress = core.FrontUrl };
        List<HttpResponseMessage> streams = [];
        try
        {
            for (var i = 0; i < 20; i++)
            {
                streams.Add(await OpenAsync(http, browser.AccessToken!));
                Assert.Equal(HttpStatusCode.OK, streams[^1].StatusCode);
            }

            using var refused = await OpenAsync(http, browser.AccessToken!);
            Assert.Equal((HttpStatusCode.TooManyRequests, "15"), (refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
            Assert.False(refused.Headers.Contains("front-token"));
            Assert.Equal(200, (await browser.GetAsync("/auth/verify")).Status);

            streams[0].Dispose();
            HttpStatusCode again;
            do
            {
                using var stream = await OpenAsync(http, browser.AccessToken!);
                again = stream.StatusCode;
            }
            while (again != HttpStatusCode.OK);
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }
    }

    [Fact]
    public void Addresses_and_the_process_have_so_many_too_and_what_ends_makes_room()
    {
        var streams = new EventStreams(Options.Create(new GridOptions { MaxEventStreams = 4, MaxEventStreamsPerSession = 2, MaxEventStreamsPerAddress = 3 }));
        using var a = Enter(streams, "s1", Here, 0);
        using var b = Enter(streams, "s1", Here, 0);
        Enter(streams, "s1", Here, 429);
        using var c = Enter(streams, "s2", Here, 0);
        Enter(streams, "s3", Here, 429);
        using var d = Enter(streams, "s3", IPAddress.Loopback, 0);
        Enter(streams, "s4", IPAddress.Loopback, 503);
        a!.Dispose();
        a.Dispose();
        using var e = Enter(streams, "s1", Here, 0);
        Enter(streams, "s4", IPAddress.IPv6Loopback, 503);
    }

    private static IDisposable? Enter(EventStreams streams, string session, IPAddress address, int expected)
    {
        var place = streams.TryEnter(("public", session), address, out var refusal);
        Assert.Equal((expected, expected == 0), (refusal, place is not null));
        return place;
    }

    private static Task<HttpResponseMessage> OpenAsync(HttpClient http, string token) => http.SendAsync(
        new HttpRequestMessage(HttpMethod.Get, "/auth/session/events") { Headers = { { "Authorization", $"Bearer {token}" } } }, HttpCompletionOption.ResponseHeadersRead);
}
