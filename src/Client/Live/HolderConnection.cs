using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Grid.Revocation.Holders;
using Grid.Revocation.Relay.Wire;

namespace Grid.Client.Live;

/// <summary>One connection to a silo: sends requests, hands answers to those who wait, and entries to the holder in the order in which they came.</summary>
/// <remarks>From its opening to its end and never again: whatever ends it, it lets go of its socket by itself, and what comes next is another one.</remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "It lets go of what it has when it is over; looks give their place back after that.")]
internal sealed class HolderConnection
{
    // How long the other side may be silent (it answers pings by itself) before it counts as gone: no packet tells of a machine that
    // has lost its power, or of a proxy that has forgotten the connection.
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(2);

    // A lost packet is sent again after one second, then two, then four: by then whoever tries anew is through.
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

    private HolderConnection(Holder holder, ClientWebSocket socket)
    {
        (_holder, _socket) = (holder, new HolderSocket(socket));
        _receiving = ReceiveAllAsync();
    }

    /// <summary>Why Grid ended it, if it said so.</summary>
    public string? Goodbye => _goodbye;

    /// <summary>Whether answers can still come.</summary>
    public bool IsOpen => !_isOver;

    /// <summary>
    /// Tries until told to give up. While one attempt hangs others are made beside it, so that neither a slow way nor one that swallows
    /// packets keeps it away longer than it has to.
    /// </summary>
    /// <exception cref="WebSocketException">Nobody answers there.</exception>
    /// <exception cref="HolderRefusedException">Whoever is there refuses.</exception>
    public static async Task<HolderConnection> OpenAsync(
        Holder holder, Uri uri, string? apiKey, Action<ClientWebSocketOptions>? configure, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<ClientWebSocket>> attempts = [];
        Task<ClientWebSocket>? first = null;
        try
        {
            while (first is null)
            {
                attempts.Add(ConnectAsync(uri, apiKey, configure, over.Token));
                var pause = Task.Delay(NextAttemptAfter, over.Token);
                first = await Task.WhenAny([.. attempts, pause]) as Task<ClientWebSocket>;
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
            // After it is in the list: a connection that ends now fails it too.
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

    /// <summary>Sends a look and waits for its answer; beyond those that may be under way it waits for its turn.</summary>
    /// <exception cref="IOException">The connection is over.</exception>
    public async Task<HolderMessage> LookAsync(HolderMessage look, CancellationToken cancellationToken)
    {
        await _looks.WaitAsync(cancellationToken);
        var answer = AskAsync(look, CancellationToken.None);

        // Its place is free when it is answered, not when nobody waits for it any more: the silo still has it before it.
        _ = answer.ContinueWith(
            done =>
            {
                // Perhaps nobody waits any more.
                _ = done.Exception;
                _looks.Release();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return await answer.WaitAsync(cancellationToken);
    }

    /// <summary>Says goodbye: this service accepts nothing any more.</summary>
    public void Leave() => _socket.Send(new HolderMessage { Type = HolderMessageType.Leave });

    /// <summary>Ends it without a word.</summary>
    public void Abort()
    {
        _isOver = true;
        _socket.Abort();
    }

    /// <summary>Sends what is in line and closes; a peer that does not answer holds it up for two seconds at most.</summary>
    public async Task CloseAsync()
    {
        // Until the other side closes too it may still be reading: what breaks off now could take the goodbye with it.
        await _socket.FinishAsync();
        await Task.WhenAny(_receiving, Task.Delay(GoodbyeWithin));
        Abort();
        await _receiving;
    }

    private IOException Over() => new(_goodbye is { } why ? $"Grid ended the connection: {why}" : "The connection is over.");

    private static async Task<ClientWebSocket> ConnectAsync(
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

    private static async Task LetGoAsync(Task<ClientWebSocket> attempt)
    {
        try
        {
            (await attempt).Dispose();
        }
        catch (Exception)
        {
            // It has let go by itself.
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
            // Whatever came, broken or not what was agreed: everybody who waits hears of it below.
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
                // From a later version, perhaps. What cannot be applied must not be confirmed: a new connection starts with an empty memory.
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
