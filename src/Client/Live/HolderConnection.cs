using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Grid.Revocation.Holders;
using Grid.Revocation.Relay.Wire;

namespace Grid.Client.Live;

/// <summary>One connection to a silo: sends requests, hands answers to those who wait, and entries to the holder in the order in which they came.</summary>
internal sealed class HolderConnection : IAsyncDisposable
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<HolderMessage>> _waiting = new();
    private readonly Holder _holder;
    private readonly HolderSocket _socket;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _receiving;
    private long _number;
    private volatile bool _isOver;
    private volatile bool _isLost;

    private HolderConnection(Holder holder, ClientWebSocket socket)
    {
        (_holder, _socket) = (holder, new HolderSocket(socket));
        _receiving = ReceiveAllAsync();
    }

    /// <summary>Whether answers can still come.</summary>
    public bool IsOpen => !_isOver;

    /// <summary>Whether anything was asked on it: a registration belongs on a fresh one.</summary>
    public bool IsUsed => Interlocked.Read(ref _number) > 0;

    /// <summary>The silo said that the registration is gone.</summary>
    public bool IsLost => _isLost;

    /// <exception cref="WebSocketException">Nobody answers there, or refuses.</exception>
    public static async Task<HolderConnection> OpenAsync(Holder holder, Uri uri, string? apiKey, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(5);
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(5);
            if (apiKey is not null)
            {
                socket.Options.SetRequestHeader("api-key", apiKey);
            }

            await socket.ConnectAsync(uri, cancellationToken);
            return new HolderConnection(holder, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="IOException">The connection is over.</exception>
    public async Task<HolderMessage> AskAsync(HolderMessage request, CancellationToken cancellationToken)
    {
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

    /// <summary>Says goodbye: this service accepts nothing any more.</summary>
    public void Leave() => _socket.Send(new HolderMessage { Type = HolderMessageType.Leave });

    public async ValueTask DisposeAsync()
    {
        await _socket.DisposeAsync();
        await _closing.CancelAsync();
        await _receiving;
        _closing.Dispose();
    }

    private static IOException Over() => new("The connection to Grid is over.");

    private async Task ReceiveAllAsync()
    {
        try
        {
            while (await _socket.ReceiveAsync(_closing.Token) is { } message)
            {
                switch (message.Type)
                {
                    case HolderMessageType.Entries:
                        // h3: applied first, then confirmed.
                        _holder.Apply([.. (message.Entries ?? []).Select(entry => entry.ToEntry())]);
                        _socket.Send(new HolderMessage { Type = HolderMessageType.Confirm, N = message.N });
                        break;
                    case HolderMessageType.Lost:
                        _isLost = true;
                        _holder.Forget();
                        Fail();
                        break;
                    default:
                        Answer(message.N, message);
                        break;
                }
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or JsonException or IOException or ObjectDisposedException)
        {
            // Everybody who waits hears of it below.
        }

        _isOver = true;
        _socket.Abort();
        Fail();
    }

    private void Answer(long number, HolderMessage message)
    {
        if (_waiting.TryGetValue(number, out var answer))
        {
            answer.TrySetResult(message);
        }
    }

    private void Fail()
    {
        foreach (var answer in _waiting.Values)
        {
            answer.TrySetException(Over());
        }
    }
}
