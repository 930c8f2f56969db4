using System.Net;
using System.Text;
using Grid.Revocation;
using Grid.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.Tests;

/// <summary>Handlers that an application adds to the client's HTTP, and connections that die.</summary>
public sealed class HandlerTests(CoreHost core)
{
    private static readonly string[] Reads = ["FindAsync", "ListAsync", "ReadKeysAsync"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Retries_by_a_handler_repeat_reads_only()
    {
        var dead = new DeadCore();
        await using var provider = Services(dead, client => client.AddStandardResilienceHandler(options => options.Retry.Delay = TimeSpan.Zero));
        var sessions = provider.GetRequiredService<IGridSessions>();

        foreach (var (name, call) in Calls(sessions))
        {
            dead.Seen.Clear();
            var failure = await Assert.ThrowsAsync<GridException>(call);

            Assert.Equal(GridFailure.Unavailable, failure.Reason);
            Assert.True(Reads.Contains(name) ? dead.Seen.Count > 1 : dead.Seen.Count(seen => seen != "GET /hello") == 1, $"{name}: {string.Join(", ", dead.Seen)}");
        }
    }

    [Fact]
    public async Task A_connection_that_dies_under_a_call_costs_a_write_its_answer_and_never_sends_it_twice()
    {
        await using var server = new DyingServer();
        await using var provider = new ServiceCollection().AddLogging().AddGridClient(grid => grid.ConnectionUri = server.Url).BuildServiceProvider();
        var sessions = provider.GetRequiredService<IGridSessions>();

        foreach (var (name, call) in Calls(sessions))
        {
            foreach (var isUsed in (bool[])[false, true])
            {
                server.DieAtOnce = !isUsed;
                if (isUsed)
                {
                    // A connection that has served once.
                    Assert.Null(await sessions.FindAsync($"{Guid.NewGuid()}", Stop));
                }

                server.Seen.Clear();
                server.DieAtOnce = true;
                var failure = await Record.ExceptionAsync(call);

                Assert.True(failure is GridException { Reason: GridFailure.Unavailable }, $"{name}: {failure}");
                Assert.True(Reads.Contains(name) || server.Seen.Count(seen => seen != "GET /hello") == 1, $"{name}: {string.Join(", ", server.Seen)}");
                server.DieAtOnce = false;
            }
        }
    }

    [Fact]
    public async Task A_handler_that_gives_up_in_its_own_way_is_an_outage_and_a_revocation_still_waits_if_Grid_is_there()
    {
        await using var provider = new ServiceCollection().AddLogging().AddGridClient(grid => grid.ConnectionUri = core.Url)
            .AddHttpClient(GridClientDefaults.HttpClientName).AddHttpMessageHandler(() => new GivingUp()).Services.BuildServiceProvider();
        var sessions = provider.GetRequiredService<IGridSessions>();

        var read = await Assert.ThrowsAsync<GridException>(() => sessions.ListAsync("somebody", null, Stop));
        var revocation = await Assert.ThrowsAsync<GridException>(() => sessions.RevokeUserAsync("somebody", null, null, Stop));

        Assert.Equal((GridFailure.Unavailable, GridFailure.StillWaiting), (read.Reason, revocation.Reason));
        Assert.Contains("a limit of the handler's own", revocation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void By_default_a_revocation_is_waited_for_longer_than_the_longest_lease_can_cost()
    {
        using var provider = new ServiceCollection().AddGridClient().BuildServiceProvider();
        var options = provider.GetRequiredService<IOptions<GridClientOptions>>().Value;
        var longest = new LeaseTerms(LeaseTerms.Longest).Wait;

        Assert.Equal(TimeSpan.FromSeconds(75.25), longest);
        Assert.True(options.RevocationTimeout > longest + options.Timeout);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_application_starts_serves_and_stops_without_a_wait_for_a_Grid_that_does_not_answer(bool accepts)
    {
        // Nobody listens, or somebody who never says anything: limits of an hour would be waited out, if anything were waited for.
        await using var way = new TcpRelay(core.Url);
        way.Put(accepts ? Between.Silence : Between.Nobody);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication("Grid").AddGrid(grid => (grid.ConnectionUri, grid.Timeout, grid.RevocationTimeout) = (way.Url, TimeSpan.FromHours(1), TimeSpan.FromHours(1)))
            .AddCookie("Cookies").AddGridTicketStore();
        builder.Services.AddAuthorization();
        await using var app = builder.Build();
        app.MapGrid();
        app.MapGet("/open", () => "open");
        app.MapGet("/closed", () => "closed").RequireAuthorization();

        await app.StartAsync(Stop).WaitAsync(TimeSpan.FromMinutes(2), Stop);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.Equal("open", await http.GetStringAsync("/open", Stop).WaitAsync(TimeSpan.FromMinutes(2), Stop));
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/closed", Stop).WaitAsync(TimeSpan.FromMinutes(2), Stop)).StatusCode);
        await app.StopAsync(Stop).WaitAsync(TimeSpan.FromMinutes(2), Stop);
    }

    private static ServiceProvider Services(HttpMessageHandler primary, Action<IHttpClientBuilder> configure)
    {
        var services = new ServiceCollection().AddLogging().AddGridClient();
        configure(services.AddHttpClient(GridClientDefaults.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => primary));
        return services.BuildServiceProvider();
    }

    private static IEnumerable<(string Name, Func<Task> Call)> Calls(IGridSessions sessions)
    {
        var handle = $"{Guid.NewGuid()}";
        yield return (nameof(sessions.CreateAsync), () => sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop));
        yield return (nameof(sessions.RefreshAsync), () => sessions.RefreshAsync(new TokenToRefresh("token", false, null, true), Stop));
        yield return (nameof(sessions.RegenerateAsync), () => sessions.RegenerateAsync("token", "{}", Stop));
        yield return (nameof(sessions.UpdateDataAsync), () => sessions.UpdateDataAsync(handle, "{}", Stop));
        yield return (nameof(sessions.UpdatePayloadAsync), () => sessions.UpdatePayloadAsync(handle, "{}", Stop));
        yield return (nameof(sessions.RevokeAsync), () => sessions.RevokeAsync(handle, Stop));
        yield return (nameof(sessions.RevokeUserAsync), () => sessions.RevokeUserAsync("u", null, null, Stop));
        yield return (nameof(sessions.RevokeTenantAsync), () => sessions.RevokeTenantAsync("public", Stop));
        yield return (nameof(sessions.FindAsync), () => sessions.FindAsync(handle, Stop).AsTask());
        yield return (nameof(sessions.ListAsync), () => sessions.ListAsync("u", null, Stop));
        yield return (nameof(sessions.ReadKeysAsync), () => sessions.ReadKeysAsync(Stop).AsTask());
    }

    /// <summary>Answers nothing but that it is unavailable.</summary>
    private sealed class DeadCore : HttpMessageHandler
    {
        public List<string> Seen { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Seen.Add($"{request.Method} {request.RequestUri!.AbsolutePath}");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("", Encoding.UTF8), RequestMessage = request });
        }
    }

    private sealed class GivingUp : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri!.AbsolutePath == "/hello" ? base.SendAsync(request, cancellationToken) : throw new InvalidOperationException("a limit of the handler's own");
    }
}
