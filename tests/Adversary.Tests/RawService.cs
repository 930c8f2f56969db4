using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Grid.TestKit;

namespace Grid.Adversary.Tests;

/// <summary>A connection to <c>/session/holder</c> as somebody writes it who does not use our client.</summary>
internal sealed class RawService : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[256 * 1024];

    private RawService()
    {
    }

    /// <summary>Of its registration.</summary>
    public Guid Incarnation { get; private set; }

    public string? Secret { get; private set; }

    /// <summary>What the other side said when it closed.</summary>
    public string? Goodbye => _socket.CloseStatusDescription;

    /// <exception cref="WebSocketException">Refused.</exception>
    public static async Task<RawService> ConnectAsync(GridProcess silo, string app, string key, bool confirms = true)
    {
        var service = new RawService { Confirms = confirms };
        service._socket.Options.SetRequestHeader("api-key", key);
        try
        {
            var uri = new UriBuilder(silo.Http.BaseAddress!) { Scheme = "ws", Path = $"{app}/session/holder" };
            await service._socket.ConnectAsync(uri.Uri, CancellationToken.None).WaitAsync(Patience);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    public static async Task<RawService> RegisteredAsync(GridProcess silo, string app, string key, string name = "raw", bool confirms = true)
    {
        var service = await ConnectAsync(silo, app, key, confirms);
        Assert.Equal("registered", (string?)(await service.RegisterAsync(Guid.NewGuid(), name: name))!["type"]);
        await service.RenewAsync(1);
        return service;
    }

    public Task SendAsync(string message) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).WaitAsync(Patience);

    /// <summary>Whether it confirms entries that are met on the way to another message.</summary>
    public bool Confirms { get; init; } = true;

    /// <summary>The next message but entries; null when the other side closed, or is gone.</summary>
    public Task<JsonNode?> ReceiveAsync() => ReceiveAsync(null);

    /// <summary>The next message of a type (null: of any but entries); null when the connection ends before.</summary>
    public async Task<JsonNode?> ReceiveAsync(string? type)
    {
        while (await ReceiveAnyAsync() is { } message)
        {
            var isEntries = (string?)message["type"] == "entries";
            if (type is null ? !isEntries : (string?)message["type"] == type)
            {
                return message;
            }

            if (isEntries && Confirms)
            {
                await SendAsync($$"""{"type":"confirm","n":{{(long)message["n"]!}}}""");
            }
        }

        return null;
    }

    private async Task<JsonNode?> ReceiveAnyAsync()
    {
        var length = 0;
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None).AsTask().WaitAsync(Patience);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                length += part.Count;
                if (part.EndOfMessage)
                {
                    return JsonNode.Parse(_buffer.AsSpan(0, length));
                }
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    public async Task<JsonNode?> RegisterAsync(Guid incarnation, Guid? former = null, string? secret = null, string name = "raw")
    {
        await SendAsync(new JsonObject
        {
            ["type"] = "register",
            ["n"] = 1,
            ["incarnation"] = incarnation.ToString(),
            ["former"] = former?.ToString(),
            ["secret"] = secret,
            ["name"] = name,
        }.ToJsonString());
        var answer = await ReceiveAsync();
        (Incarnation, Secret) = (incarnation, (string?)answer?["secret"]);
        return answer;
    }

    public async Task RenewAsync(int n)
    {
        await SendAsync($$"""{"type":"renew","n":{{n}}}""");
        Assert.NotNull(await ReceiveAsync("renewed"));
    }

    /// <summary>Behaves, until it is told to stop.</summary>
    /// <returns>The entries that it was told, as JSON.</returns>
    public async Task<IReadOnlyList<string>> BehaveAsync(CancellationToken over)
    {
        List<string> heard = [];
        var next = ReceiveAnyAsync();
        for (var n = 2; !over.IsCancellationRequested; n++)
        {
            await SendAsync($$"""{"type":"renew","n":{{n}}}""");
            string? type;
            do
            {
                var message = await next ?? throw new InvalidOperationException($"It was closed: {Goodbye}");
                next = ReceiveAnyAsync();
                type = (string?)message["type"];
                if (type == "entries")
                {
                    heard.Add(message.ToJsonString());
                    await SendAsync($$"""{"type":"confirm","n":{{(long)message["n"]!}}}""");
                }
            }
            while (type != "renewed" || next.IsCompleted);
        }

        return heard;
    }

    public ValueTask DisposeAsync()
    {
        _socket.Abort();
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
