using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;

namespace Grid.Revocation.Relay.Wire;

/// <summary>Messages over one WebSocket, in order both ways. A peer that does not read fast enough loses the connection, and with it its incarnation.</summary>
internal sealed class HolderSocket : IAsyncDisposable
{
    /// <summary>Bytes of the longest message that a service takes.</summary>
    public const int MaxMessage = 1024 * 1024;

    /// <summary>Looks that a service may have unanswered (<c>docs/protocol.md</c>): with more of them, its renewals and confirmations would have to wait behind them.</summary>
    public const int MaxLooks = 128;

    // What is sent is short, and an end of the connection longer than that would be one too many.
    private const int MaxCloseReason = 120;
    private const int MaxWaiting = 16 * 1024;

    private readonly WebSocket _socket;
    private readonly Channel<HolderMessage> _waiting = Channel.CreateBounded<HolderMessage>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _sending;
    private readonly int _maxMessage;
    private byte[] _received;

    /// <param name="socket">Open.</param>
    /// <param name="maxMessage">Bytes of the longest message to take.</param>
    public HolderSocket(WebSocket socket, int maxMessage = MaxMessage)
    {
        (_socket, _maxMessage) = (socket, maxMessage);
        _received = new byte[Math.Min(maxMessage, 4 * 1024)];
        _sending = SendAllAsync();
    }

    /// <summary>What the other side said when it closed; null: nothing, or it has not closed.</summary>
    public string? Goodbye => _socket.CloseStatusDescription is { Length: > 0 } goodbye ? goodbye : null;

    /// <summary>Puts a message in line. False if the connection is over.</summary>
    public bool Send(HolderMessage message)
    {
        if (_waiting.Writer.TryWrite(message))
        {
            return true;
        }

        Abort();
        return false;
    }

    /// <summary>The next message; null when the other side has closed.</summary>
    /// <exception cref="WebSocketException">The connection broke.</exception>
    /// <exception cref="JsonException">That was no message.</exception>
    public async Task<HolderMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            var part = await _socket.ReceiveAsync(_received.AsMemory(length), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            length += part.Count;
            if (part.EndOfMessage)
            {
                return HolderJson.Read(_received.AsSpan(0, length));
            }

            if (length == _received.Length)
            {
                if (length >= _maxMessage)
                {
                    throw new JsonException($"A message may have at most {_maxMessage} bytes.");
                }

                Array.Resize(ref _received, Math.Min(_maxMessage, length * 2));
            }
        }
    }

    /// <summary>Receives and drops messages until the other side has closed too.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while ((await _socket.ReceiveAsync(_received.AsMemory(), cancellationToken)).MessageType != WebSocketMessageType.Close)
        {
            // Dropped: nobody reads it.
        }
    }

    /// <summary>Ends the connection without a word.</summary>
    public void Abort()
    {
        _waiting.Writer.TryComplete();
        try
        {
            _closing.Cancel();
            _socket.Abort();
        }
        catch (ObjectDisposedException)
        {
            // It is over already.
        }
    }

    /// <summary>Sends what is in line, says goodbye and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await FinishAsync();
        Abort();
        _socket.Dispose();
        _closing.Dispose();
    }

    /// <summary>Sends what is in line, and that nothing more will come, and why. The other side's goodbye may follow.</summary>
    public async Task FinishAsync(WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure, string? why = null)
    {
        _waiting.Writer.TryComplete();
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await _sending.WaitAsync(patience.Token);
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(status, why is { Length: > MaxCloseReason } ? why[..MaxCloseReason] : why, patience.Token);
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It is closed either way.
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var message in _waiting.Reader.ReadAllAsync(_closing.Token))
            {
                await _socket.SendAsync(
                    JsonSerializer.SerializeToUtf8Bytes(message, HolderJson.Default.HolderMessage), WebSocketMessageType.Text, endOfMessage: true, _closing.Token);
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            Abort();
        }
    }
}
