using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Grid.Revocation.Holders;
using Grid.Revocation.Relay.Wire;

namespace Grid.Client.Live;

/// <summary>One connection to a silo: sends requests, passes answers to their callers, and entries to the holder in order of arrival.</summary>
/// <remarks>From its opening to its end and never again: whatever ends it, it lets go of its socket by itself, and what comes next is another one.</remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "It lets go of what it has when it is over; looks give their place back after that.")]
internal sealed class HolderConnection
{
    // How long the other side may be silent (it answers pings by itself) before it counts as gone: a machine that lost its power, or a
    // proxy that dropped the connection, sends no packet.
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(2);

    // A lost packet is retransmitted after one second, then two, then four: a new attempt gets through sooner.
    private static readonly TimeSpan NextAttemptAfter = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan GoodbyeWithin = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<long, TaskCompletionSource<HolderMessage>> _waiting = new();
    private readonly SemaphoreSlim _looks = new(HolderSocket.MaxLooks);
    private readonly Holder _holder;
    private readonly HolderSocket _socket;
    private readonly Task _receiving;
    private long _number;
    private Guid? _incarnation;
    private volatile bool _isOver;
    private volatile string? _goodbye;

    private HolderConnection(Holder holder, WebSocket socket)
    {
        (_holder, _socket) = (holder, new HolderSocket(socket));
        _receiving = ReceiveAllAsync();
    }

    /// <summary>Why Grid ended it, if it said so.</summary>
    public string? Goodbye => _goodbye;

    /// <summary>Whether answers can still come.</summary>
    public bool IsOpen => !_isOver;

    /// <summary>
    /// Tries until cancelled. While one attempt hangs others are started, so that neither a slow path nor one that loses packets
    /// delays the connection longer than necessary.
    /// </summary>
    /// <exception cref="WebSocketException">There is no answer.</exception>
    /// <exception cref="HolderRefusedException">The other side refuses.</exception>
    public static Task<HolderConnection> OpenAsync(
        Holder holder, Uri uri, string? apiKey, Action<ClientWebSocketOptions>? configure, CancellationToken cancellationToken) =>
        OpenAsync(holder, cancel => ConnectAsync(uri, apiKey, configure, cancel), cancellationToken);

    /// <inheritdoc cref="OpenAsync(Holder, Uri, string, Action{ClientWebSocketOptions}, CancellationToken)"/>
    public static async Task<HolderConnection> OpenAsync(Holder holder, Func<CancellationToken, Task<WebSocket>> connect, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<WebSocket>> attempts = [];
        Task<WebSocket>? first = null;
        try
        {
            while (first is null)
            {
                attempts.Add(connect(over.Token));
                var pause = Task.Delay(NextAttemptAfter, over.Token);
                first = await Task.WhenAny([.. attempts, pause]) as Task<WebSocket>;
                cancellationToken.ThrowIfCancellationRequested();
            }

            return new HolderConnection(holder, await first);
        }
        finally
        {
            await over.CancelAsync();
            attempts.ForEach(attempt => _ = attempt == first ? Task.CompletedTask : LetGoAsync(attempt));
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="IOException">The connection is over.</exception>
    public async Task<HolderMessage> AskAsync(HolderMessage request, CancellationToken cancellationToken)
    {
        _incarnation ??= request.Incarnation;
        var number = Interlocked.Increment(ref _number);
        var answer = new TaskCompletionSource<HolderMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[number] = answer;
        try
        {
            // Checked after it is listed, so that a connection that ends at this moment fails it too.
            if (!_socket.Send(request with { N = number }) || !IsOpen)
            {
                throw Over();
            }

            return await answer.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _waiting.TryRemove(number, out _);
        }
    }

    /// <summary>Sends a look and waits for its answer, after waiting for its turn if too many are under way.</summary>
    /// <exception cref="IOException">The connection is over.</exception>
    public async Task<HolderMessage> LookAsync(HolderMessage look, CancellationToken cancellationToken)
    {
        await _looks.WaitAsync(cancellationToken);
        var answer = AskAsync(look, CancellationToken.None);

        // Its place is released when it is answered, not when its caller gives up: until then the silo is still busy with it.
        _ = answer.ContinueWith(
            done =>
            {
                // The caller may have given up.
                _ = done.Exception;
                _looks.Release();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return await answer.WaitAsync(cancellationToken);
    }

    /// <summary>Says goodbye: this service has stopped accepting sessions.</summary>
    public void Leave() => _socket.Send(new HolderMessage { Type = HolderMessageType.Leave });

    /// <summary>Ends it without a goodbye.</summary>
    public void Abort()
    {
        _isOver = true;
        _socket.Abort();
    }

    /// <summary>Sends what is queued and closes; waits at most two seconds for the peer.</summary>
    public async Task CloseAsync()
    {
        // Until the other side closes too it may still be reading: aborting now could lose the goodbye.
        await _socket.FinishAsync();
        await Task.WhenAny(_receiving, Task.Delay(GoodbyeWithin));
        Abort();
        await _receiving;
    }

    private IOException Over() => new(_goodbye is { } why ? $"Grid ended the connection: {why}" : "The connection is over.");

    private static async Task<WebSocket> ConnectAsync(
        Uri uri, string? apiKey, Action<ClientWebSocketOptions>? configure, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            configure?.Invoke(socket.Options);
            socket.Options.CollectHttpResponseDetails = true;
            socket.Options.KeepAliveInterval = PingAfter;
            socket.Options.KeepAliveTimeout = SilenceAllowed;
            if (apiKey is not null)
            {
                socket.Options.SetRequestHeader("api-key", apiKey);
            }

            await socket.ConnectAsync(uri, cancellationToken);
            return socket;
        }
        catch (WebSocketException failure) when (socket.HttpStatusCode is not (0 or HttpStatusCode.SwitchingProtocols))
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            throw new HolderRefusedException(status, failure);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task LetGoAsync(Task<WebSocket> attempt)
    {
        try
        {
            (await attempt).Dispose();
        }
        catch (Exception)
        {
            // It has cleaned up by itself.
        }
    }

    private async Task ReceiveAllAsync()
    {
        try
        {
            while (!_isOver && await _socket.ReceiveAsync(CancellationToken.None) is { } message)
            {
                Handle(message);
            }
        }
        catch (Exception)
        {
            // A broken connection or a protocol error: all callers that wait are failed below.
        }

        _goodbye ??= _socket.Goodbye;
        _isOver = true;
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetException(Over());
        }

        _socket.Abort();
        await _socket.DisposeAsync();
    }

    private void Handle(HolderMessage message)
    {
        switch (message.Type)
        {
            case HolderMessageType.Entries when message is { IsMalformed: false, Entries: { } entries }:
                // h3: applied first, then confirmed.
                _holder.Apply([.. entries.Select(entry => entry.ToEntry())]);
                _socket.Send(new HolderMessage { Type = HolderMessageType.Confirm, N = message.N });
                break;
            case HolderMessageType.Entries:
                // Perhaps from a newer version. What cannot be applied must not be confirmed: a new connection starts with an empty memory.
                throw new JsonException("Entries that cannot be read.");
            case HolderMessageType.Lost:
                _goodbye = message.Reason;
                _isOver = true;
                if (_holder.Incarnation == _incarnation)
                {
                    _holder.Forget();
                }

                break;
            default:
                if (!message.IsMalformed && _waiting.TryGetValue(message.N, out var answer))
                {
                    answer.TrySetResult(message);
                }

                break;
        }
    }
}
