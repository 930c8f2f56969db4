using System.Globalization;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Grid.Bench.Revocation;

/// <summary>Holds a valid key of another app on the same silos, and does what he can with it until he is told to stop.</summary>
internal sealed class HostileApp : IAsyncDisposable
{
    private const string Key = "hostile-key-01234567890123456789";
    private const string Path = "/appid-hostile";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private long _connections;
    private long _refused;
    private long _messages;
    private long _calls;

    /// <summary>What came of it: connections that were let in, ones refused or ended; messages sent; revocations of his own app answered.</summary>
    public string Report => string.Create(
        CultureInfo.InvariantCulture, $"{_connections:N0} services let in, {_refused:N0} refused or ended by Grid, {_messages:N0} messages, {_calls:N0} revocations of its own answered");

    public static async Task CreateAsync(HttpClient door)
    {
        var app = new JsonObject { ["appId"] = "hostile", ["coreConfig"] = new JsonObject { ["api_keys"] = Key } };
        using var answer = await door.PutAsJsonAsync("/recipe/multitenancy/app/v2", app);
        answer.EnsureSuccessStatusCode();
    }

    /// <param name="doors">All silos.</param>
    /// <param name="floods">Also asks for sessions that are not there, as fast as it can be answered.</param>
    public static HostileApp Start(IReadOnlyList<Uri> doors, bool floods)
    {
        var app = new HostileApp();
        foreach (var door in doors)
        {
            // As many as there may be are taken, and none ever confirms.
            app.Run(60, () => app.LurkAsync(door));
            app.Run(2, () => app.ComeAndGoAsync(door));
            app.Run(2, () => app.RevokeAsync(door));
            app.Run(floods ? 2 : 0, () => app.FloodAsync(door));
        }

        return app;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private void Run(int times, Func<Task> once)
    {
        for (var i = 0; i < times; i++)
        {
            _running.Add(Task.Run(async () =>
            {
                while (!_stop.IsCancellationRequested)
                {
                    try
                    {
                        await once();
                    }
                    catch (Exception failure) when (failure is WebSocketException or HttpRequestException or IOException or OperationCanceledException)
                    {
                        if (!_stop.IsCancellationRequested)
                        {
                            Interlocked.Increment(ref _refused);
                        }
                    }

                    await Task.Delay(100, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }));
        }
    }

    private async Task LurkAsync(Uri door)
    {
        using var socket = await RegisterAsync(door);
        var reading = SwallowAsync(socket);
        for (var n = 2; !reading.IsCompleted; n++)
        {
            await SendAsync(socket, $$"""{"type":"renew","n":{{n}}}""");
            await Task.WhenAny(reading, Task.Delay(1000, _stop.Token));
        }

        await reading;
    }

    private async Task ComeAndGoAsync(Uri door)
    {
        using var socket = await RegisterAsync(door);
        await SendAsync(socket, """{"type":"renew","n":2}""");
        socket.Abort();
    }

    private async Task FloodAsync(Uri door)
    {
        using var socket = await RegisterAsync(door);
        var reading = SwallowAsync(socket);
        await SendAsync(socket, """{"type":"renew","n":2}""");
        for (var n = 3; !reading.IsCompleted; n++)
        {
            await SendAsync(socket, $$"""{"type":"look","n":{{n}},"tenant":"public","session":"{{Guid.NewGuid()}}"}""");
        }

        await reading;
    }

    private async Task RevokeAsync(Uri door)
    {
        using var http = new HttpClient { BaseAddress = door, DefaultRequestHeaders = { { "api-key", Key } }, Timeout = TimeSpan.FromMinutes(2) };
        while (true)
        {
            var order = new JsonObject { ["userId"] = "u", ["enableAntiCsrf"] = false, ["useDynamicSigningKey"] = true, ["userDataInJWT"] = new JsonObject(), ["userDataInDatabase"] = new JsonObject() };
            using var made = await http.PostAsJsonAsync($"{Path}/recipe/session", order, _stop.Token);
            using var answer = await http.PostAsJsonAsync($"{Path}/session/revoke", new JsonObject { ["userId"] = "u" }, _stop.Token);
            Interlocked.Increment(ref _calls);
        }
    }

    private async Task<ClientWebSocket> RegisterAsync(Uri door)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.SetRequestHeader("api-key", Key);
            await socket.ConnectAsync(new UriBuilder(door) { Scheme = "ws", Path = $"{Path}/session/holder" }.Uri, _stop.Token);
            await SendAsync(socket, $$"""{"type":"register","n":1,"incarnation":"{{Guid.NewGuid()}}","name":"hostile"}""");
            var answer = new byte[4096];
            var read = await socket.ReceiveAsync(answer, _stop.Token);
            if (read.MessageType == WebSocketMessageType.Close || !Encoding.UTF8.GetString(answer, 0, read.Count).Contains("\"registered\"", StringComparison.Ordinal))
            {
                throw new IOException("Refused.");
            }

            Interlocked.Increment(ref _connections);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Task SendAsync(ClientWebSocket socket, string message)
    {
        Interlocked.Increment(ref _messages);
        return socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, _stop.Token);
    }

    private async Task SwallowAsync(ClientWebSocket socket)
    {
        var piece = new byte[16 * 1024];
        while ((await socket.ReceiveAsync(piece, _stop.Token)).MessageType != WebSocketMessageType.Close)
        {
            // Nothing is ever confirmed.
        }
    }
}
