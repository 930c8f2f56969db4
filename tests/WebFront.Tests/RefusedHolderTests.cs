using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Grid.Abstractions.Apps;
using Grid.Revocation.Relay;
using Grid.WebFront.Core;
using Grid.WebFront.Core.Revocation;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Grid.WebFront.Tests;

/// <summary>A service whose registration is refused: it waits for the answer, and its app's place waits with it.</summary>
public sealed class RefusedHolderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_registration_is_answered_after_a_second_and_keeps_its_place_until_then()
    {
        var clock = new NotedTime();
        var relay = new HolderRelay(null!, null!, () => "", new RelayLimits(Capacity: 10, PerApp: 1));
        using var door = new ServiceDoor(relay);
        using var holders = new ConnectHolder(relay, door, null!, null!, null!, null!, new Running(), clock, NullLogger<ConnectHolder>.Instance);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync(Stop);
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Stop);
        using var far = await accepting;
        using var service = WebSocket.CreateFromStream(near.GetStream(), new WebSocketCreationOptions());
        var app = new AppSnapshot { App = new AppKey("", "a1"), Settings = new SessionSettings(), ApiKeyHashes = [], TenantIds = [] };
        var context = new DefaultHttpContext();
        context.Features.Set(new CoreRequest { Path = CorePath.Parse("/session/holder"), App = app });
        context.Features.Set<IHttpWebSocketFeature>(new Upgraded(far.GetStream()));
        var serving = holders.HandleAsync(context);

        await service.SendAsync("""{"type":"look","n":7}"""u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Stop);
        await clock.Delayed(TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromMinutes(1), Stop);
        var buffer = new byte[1024];
        var receiving = service.ReceiveAsync(buffer.AsMemory(), Stop).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(999));

        Assert.False(receiving.IsCompleted);
        Assert.Null(door.Enter("a1").Place);

        clock.Advance(TimeSpan.FromMilliseconds(1));
        var answer = Encoding.UTF8.GetString(buffer, 0, (await receiving.WaitAsync(TimeSpan.FromMinutes(1), Stop)).Count);
        Assert.Contains("\"failed\"", answer, StringComparison.Ordinal);
        Assert.Contains("register first", answer, StringComparison.Ordinal);
        service.Dispose();
        near.Dispose();
        await serving.WaitAsync(TimeSpan.FromMinutes(1), Stop);
        Assert.NotNull(door.Enter("a1").Place);
    }

    /// <summary>Tells when somebody begins to wait for a time.</summary>
    private sealed class NotedTime : FakeTimeProvider
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<TimeSpan, TaskCompletionSource> _delays = [];

        public Task Delayed(TimeSpan time) => Of(time).Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Of(dueTime).TrySetResult();
            return timer;
        }

        private TaskCompletionSource Of(TimeSpan time)
        {
            lock (_lock)
            {
                return _delays.TryGetValue(time, out var known) ? known : _delays[time] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private sealed class Upgraded(Stream stream) : IHttpWebSocketFeature
    {
        public bool IsWebSocketRequest => true;

        public Task<WebSocket> AcceptAsync(WebSocketAcceptContext context) =>
            Task.FromResult(WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true }));
    }

    private sealed class Running : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
