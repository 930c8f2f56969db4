using System.Net.WebSockets;

namespace Grid.GrainDoors.Tunnels;

/// <summary>One end of a connection over Orleans, as a WebSocket: what speaks over one need not know over which.</summary>
internal abstract class TunnelSocket : WebSocket
{
    private ReadOnlyMemory<byte> _rest;
    private bool _hasMessage;
    private volatile WebSocketState _state = WebSocketState.Open;
    private string? _why;

    /// <inheritdoc/>
    public override WebSocketCloseStatus? CloseStatus => _state is WebSocketState.Closed or WebSocketState.CloseReceived ? WebSocketCloseStatus.NormalClosure : null;

    /// <inheritdoc/>
    public override string? CloseStatusDescription => _why;

    /// <inheritdoc/>
    public override WebSocketState State => _state;

    /// <inheritdoc/>
    public override string? SubProtocol => null;

    /// <inheritdoc/>
    public override void Abort()
    {
        _state = WebSocketState.Aborted;
        OnAborted();
    }

    /// <inheritdoc/>
    public override async Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        await CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    /// <inheritdoc/>
    public override async Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        _state = _state == WebSocketState.CloseReceived ? WebSocketState.Closed : WebSocketState.CloseSent;
        await CloseWritingAsync(statusDescription, cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_state != WebSocketState.Closed)
        {
            Abort();
        }
    }

    /// <inheritdoc/>
    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        var part = await ReceiveAsync(buffer.AsMemory(), cancellationToken);
        return new WebSocketReceiveResult(part.Count, part.MessageType, part.EndOfMessage);
    }

    /// <inheritdoc/>
    public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_hasMessage)
        {
            var (message, why) = await ReadAsync(cancellationToken);
            if (message is null)
            {
                _why = why;
                _state = _state == WebSocketState.CloseSent ? WebSocketState.Closed : WebSocketState.CloseReceived;
                return new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, true);
            }

            (_rest, _hasMessage) = (message, true);
        }

        var length = Math.Min(buffer.Length, _rest.Length);
        _rest[..length].CopyTo(buffer);
        _rest = _rest[length..];
        _hasMessage = !_rest.IsEmpty;
        return new ValueWebSocketReceiveResult(length, WebSocketMessageType.Text, !_hasMessage);
    }

    /// <inheritdoc/>
    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
        _state is WebSocketState.Open or WebSocketState.CloseReceived ? WriteAsync([.. buffer], cancellationToken) : throw Over();

    /// <summary>What is said of a connection that is over.</summary>
    protected static WebSocketException Over() => new(WebSocketError.ConnectionClosedPrematurely);

    /// <summary>It was aborted; waits end.</summary>
    protected abstract void OnAborted();

    /// <summary>The next message; null when nothing more will come, and why.</summary>
    protected abstract ValueTask<(byte[]? Message, string? Why)> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Sends a message.</summary>
    protected abstract Task WriteAsync(byte[] message, CancellationToken cancellationToken);

    /// <summary>Says that no more will be sent.</summary>
    protected abstract Task CloseWritingAsync(string? why, CancellationToken cancellationToken);
}
