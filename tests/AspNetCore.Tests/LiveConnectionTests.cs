using System.Net;
using System.Net.WebSockets;
using Grid.AspNetCore.Tests.Ticking;
using Grid.TestKit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary><c>EndsWithGridSession()</c>: what stays open ends with its session, with a real client over each transport.</summary>
public sealed class LiveConnectionTests(CoreHost core)
{
    // For hangs. SignalR's own limits for a client that is gone are longer, or end nothing that is alive.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<bool, HttpTransportType> Hubs => new(
        [false, true], [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling]);

    public static MatrixTheoryData<bool, string> Requests => new([false, true], ["/events", "/deaf"]);

    [Theory]
    [MemberData(nameof(Hubs))]
    public async Task A_hub_closes_with_its_session_for_client_and_server_and_does_not_come_back(bool hasCookies, HttpTransportType transport)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);
        await using var connection = app.Connect(browser, transport);
        using var other = await app.SignInAsync($"other-{_user}");
        await using var bystander = app.Connect(other, transport);
        var closed = Closed(connection);
        await connection.StartAsync(Stop);
        await bystander.StartAsync(Stop);
        Assert.NotNull(await connection.InvokeAsync<string?>("Whose", Stop));
        Assert.Equal(2, app.Presence.Here.Count);

        await app.RevokeAsync(_user);

        Assert.False(await closed);
        await UntilAsync(() => app.Presence.Here.Count == 1 && app.Watched == 1);
        Assert.NotNull(await bystander.InvokeAsync<string?>("Whose", Stop));
        Assert.Equal(HubConnectionState.Disconnected, connection.State);
        if (!hasCookies)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await Assert.ThrowsAsync<HttpRequestException>(() => connection.StartAsync(Stop))).StatusCode);
        }
    }

    [Theory]
    [MemberData(nameof(Hubs))]
    public async Task A_refresh_does_not_close_a_hub(bool hasCookies, HttpTransportType transport)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);
        await using var connection = app.Connect(browser, transport);
        var closed = Closed(connection);
        await connection.StartAsync(Stop);
        var handle = await connection.InvokeAsync<string?>("Whose", Stop);

        Assert.Equal(200, (hasCookies ? await browser.GetAsync("/me") : await browser.RefreshAsync()).Status);

        Assert.Equal(handle, await connection.InvokeAsync<string?>("Whose", Stop));
        Assert.False(closed.IsCompleted);
        await app.RevokeAsync(_user);
        Assert.False(await closed);
    }

    [Theory]
    [MemberData(nameof(Hubs))]
    public async Task A_connection_that_closes_by_itself_is_watched_no_more(bool hasCookies, HttpTransportType transport)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);
        await using (var connection = app.Connect(browser, transport))
        {
            await connection.StartAsync(Stop);
            await UntilAsync(() => app.Watched == 1);
        }

        await UntilAsync(() => app.Watched == 0);
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_hub_that_does_not_end_by_itself_has_its_session_and_can_end_it(HttpTransportType transport)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies: false);
        using var browser = await app.SignInAsync(_user);
        await using var connection = app.Connect(browser, transport, "/plain");
        await connection.StartAsync(Stop);
        Assert.NotNull(await connection.InvokeAsync<string?>("Whose", Stop));
        Assert.False(await connection.InvokeAsync<bool>("HasEnded", Stop));

        // Over the other two transports what is sent after that is refused, as it should be.
        await connection.SendAsync("Leave", Stop);
        await UntilAsync(async () => (await browser.GetAsync("/me")).Status == 401);
        if (transport == HttpTransportType.WebSockets)
        {
            await UntilAsync(() => connection.InvokeAsync<bool>("HasEnded", Stop));
        }

        await connection.DisposeAsync();
        await UntilAsync(() => app.Watched == 0);
    }

    [Fact]
    public async Task Whoever_has_no_session_is_left_alone()
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies: false);
        using var nobody = new TestBrowser(app.Url);
        await using var connection = app.Connect(nobody, HttpTransportType.WebSockets, "/for-all");

        await connection.StartAsync(Stop);

        Assert.Null(await connection.InvokeAsync<string?>("Whose", Stop));
        Assert.Equal(0, app.Watched);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_websocket_closes_with_its_session(bool hasCookies)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", LiveApp.Cookie(browser));
        socket.Options.SetRequestHeader("Origin", LiveApp.Origin);
        await socket.ConnectAsync(new UriBuilder(app.Url) { Scheme = "ws", Path = "/socket" }.Uri, Stop);
        var received = socket.ReceiveAsync(new byte[16], Stop);
        Assert.False(received.IsCompleted);

        await app.RevokeAsync(_user);

        await Assert.ThrowsAsync<WebSocketException>(() => received.WaitAsync(Patience, Stop));
        await UntilAsync(() => app.Watched == 0);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_streamed_response_ends_with_its_session_even_if_its_endpoint_does_not_listen(bool hasCookies, string path)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = app.Url };
        http.DefaultRequestHeaders.Add("Cookie", LiveApp.Cookie(browser));
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Stop);
        var body = await response.Content.ReadAsStreamAsync(Stop);
        Assert.NotEqual(0, await body.ReadAsync(new byte[64], Stop));
        var more = body.ReadAsync(new byte[64], Stop).AsTask();

        await app.RevokeAsync(_user);

        if (path == "/events")
        {
            // It was asked to stop, and so it did.
            await UntilEndAsync(body, more);
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(() => more.WaitAsync(Patience, Stop));
            app.Presence.Heard.SetResult();
        }

        await UntilAsync(() => app.Watched == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_that_ends_its_own_session_is_served_to_its_end(bool hasCookies)
    {
        await using var app = await LiveApp.StartAsync(core, hasCookies);
        using var browser = await app.SignInAsync(_user);

        Assert.Equal((200, "left"), await Answers.Brief(browser.PostAsync("/leave-slowly", null, ("Origin", LiveApp.Origin))));

        Assert.Equal(hasCookies ? 302 : 401, (await browser.GetAsync("/me")).Status);
    }

    [Fact]
    public async Task A_call_of_grpc_that_streams_ends_with_its_session()
    {
        await using var app = await LiveApp.StartAsync(
            core, hasCookies: false, services: services => services.Configure<KestrelServerOptions>(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        using var channel = GrpcChannel.ForAddress(app.Url);
        var token = await app.CreateAccessTokenAsync(_user);
        using var call = new Ticker.TickerClient(channel).Watch(new WatchRequest(), new Metadata { { "authorization", $"Bearer {token}" } }, cancellationToken: Stop);
        Assert.True(await call.ResponseStream.MoveNext(Stop));
        Assert.Equal(_user, call.ResponseStream.Current.UserId);
        var next = call.ResponseStream.MoveNext(Stop);

        await app.RevokeAsync(_user);

        await Assert.ThrowsAsync<RpcException>(() => next.WaitAsync(Patience, Stop));
        await UntilAsync(() => app.Watched == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hub_closes_when_its_session_expires(bool hasCookies)
    {
        // By the real clock, as services see it; that of the shared core may be hours ahead.
        await using var brief = new CoreHost { Defaults = new() { Settings = new() { AccessTokenValidity = TimeSpan.FromSeconds(3), RefreshTokenValidity = TimeSpan.FromSeconds(6) } } };
        await brief.InitializeAsync();
        await using var app = await LiveApp.StartAsync(brief, hasCookies);
        var (connection, closed) = await ConnectAsync();
        await using var open = connection;

        Assert.False(await closed);
        await UntilAsync(() => app.Watched == 0);

        // A busy machine may take longer than the session lives; then another one is tried.
        async Task<(HubConnection Connection, Task<bool> Closed)> ConnectAsync()
        {
            for (var attempt = 1; ; attempt++)
            {
                using var browser = await app.SignInAsync(_user);
                var connection = app.Connect(browser, HttpTransportType.WebSockets);
                var closed = Closed(connection);
                try
                {
                    await connection.StartAsync(Stop);
                    return (connection, closed);
                }
                catch (Exception failure) when (attempt < 10 && failure is not OperationCanceledException)
                {
                    await connection.DisposeAsync();
                }
            }
        }
    }

    [Fact]
    public async Task An_outage_closes_nothing_and_what_ended_meanwhile_closes_after_it()
    {
        await using var cable = new TcpRelay(core.Url);
        await using var app = await LiveApp.StartAsync(core, hasCookies: false, through: cable.Url);
        using var browser = await app.SignInAsync(_user);
        await using var connection = app.Connect(browser, HttpTransportType.WebSockets);
        var closed = Closed(connection);
        await connection.StartAsync(Stop);

        // When this is acknowledged, the application vouches for nobody any more.
        cable.Cut();
        await app.RevokeAsync(_user);
        Assert.NotNull(await connection.InvokeAsync<string?>("Whose", Stop));
        Assert.False(closed.IsCompleted);

        cable.Mend();
        Assert.False(await closed);
    }

    /// <returns>Whether it tried to connect again, when it is closed for good.</returns>
    private static Task<bool> Closed(HubConnection connection)
    {
        var (closed, isBack) = (new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously), false);
        connection.Reconnecting += _ =>
        {
            isBack = true;
            return Task.CompletedTask;
        };
        connection.Closed += _ =>
        {
            closed.TrySetResult(isBack);
            return Task.CompletedTask;
        };
        return closed.Task.WaitAsync(Patience, Stop);
    }

    private static async Task UntilEndAsync(Stream body, Task<int> more)
    {
        while (await more.WaitAsync(Patience, Stop) > 0)
        {
            more = body.ReadAsync(new byte[64], Stop).AsTask();
        }
    }

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(Patience);
        while (!await isSo())
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
