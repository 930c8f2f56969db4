using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;

namespace Grid.Bench.Scale;

/// <summary>Many services on one silo, as lean as can be: they register, renew every second and confirm what they are told.</summary>
internal sealed class HolderFleet : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private long _confirmed;

    /// <summary>Deliveries that were confirmed.</summary>
    public long Confirmed => Interlocked.Read(ref _confirmed);

    public int Count { get; private set; }

    public async Task GrowAsync(ServerProcess silo, int count)
    {
        for (; Count < count; Count++)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("api-key", CoreRequests.ApiKey);
            await socket.ConnectAsync(new Uri($"ws://{silo.EndPoint}/session/holder"), _stop.Token);
            await SendAsync(socket, $$"""{"type":"register","n":1,"incarnation":"{{Guid.NewGuid()}}","name":"bench"}""");
            await RegisteredAsync(socket);
            _running.Add(ServeAsync(socket));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    // A revocation that is under way may be told first.
    private async Task RegisteredAsync(ClientWebSocket socket)
    {
        for (var buffer = new byte[16 * 1024]; ;)
        {
            using var message = JsonDocument.Parse(await ReceiveAsync(socket, buffer));
            switch (message.RootElement.GetProperty("type").GetString())
            {
                case "registered":
                    return;
                case "entries":
                    await SendAsync(socket, $$"""{"type":"confirm","n":{{message.RootElement.GetProperty("n").GetInt64()}}}""");
                    break;
                default:
                    throw new InvalidOperationException($"Refused: {message.RootElement}");
            }
        }
    }

    // One reader and one timer for each; sends take turns.
    private async Task ServeAsync(ClientWebSocket socket)
    {
        using var mine = socket;
        using var turn = new SemaphoreSlim(1, 1);
        var renewing = RenewAsync();
        var buffer = new byte[16 * 1024];
        while (!_stop.IsCancellationRequested)
        {
            var message = await ReceiveAsync(socket, buffer);
            if (message.Span.IndexOf("\"type\":\"entries\""u8) >= 0)
            {
                using var entries = JsonDocument.Parse(message);
                await InTurnAsync($$"""{"type":"confirm","n":{{entries.RootElement.GetProperty("n").GetInt64()}}}""");
                Interlocked.Increment(ref _confirmed);
            }
            else if (message.Span.IndexOf("\"type\":\"lost\""u8) >= 0)
            {
                throw new InvalidOperationException($"A service was ended: {Encoding.UTF8.GetString(message.Span)}");
            }
        }

        await renewing;

        async Task RenewAsync()
        {
            await Task.Delay(Period * Random.Shared.NextDouble(), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            using var timer = new PeriodicTimer(Period);
            for (var n = 2L; !_stop.IsCancellationRequested; n++)
            {
                await InTurnAsync($$"""{"type":"renew","n":{{n}}}""");
                await timer.WaitForNextTickAsync(_stop.Token);
            }
        }

        async Task InTurnAsync(string text)
        {
            await turn.WaitAsync(_stop.Token);
            try
            {
                await SendAsync(socket, text);
            }
            finally
            {
                turn.Release();
            }
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReceiveAsync(ClientWebSocket socket, byte[] buffer)
    {
        for (var length = 0; ;)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), _stop.Token);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                throw new InvalidOperationException($"The silo closed: {socket.CloseStatusDescription}");
            }

            if (part.EndOfMessage)
            {
                return buffer.AsMemory(0, length);
            }
        }
    }

    private Task SendAsync(ClientWebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, _stop.Token);
}
