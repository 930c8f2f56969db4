using System.Threading.Channels;
using Grid.GrainDoors.Tunnels;

namespace Grid.WebFront.GrainDoors;

/// <summary>The silo's end of a service's connection over Orleans.</summary>
internal sealed class Tunnel : TunnelSocket
{
    // What a service may have sent that was not read yet; beyond that its next message is answered later.
    private const int MaxUnread = 256;
    private const int MaxUnfetched = 256;

    // Messages in one answer.
    private const int MaxAtOnce = 64;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Channel<byte[]> _in = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxUnread) { SingleReader = true });
    private readonly Channel<byte[]> _out = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxUnfetched) { SingleReader = true });
    private readonly CancellationTokenSource _aborted = new();
    private readonly TimeProvider _clock;
    private long _sent;
    private long _received;
    private long _heardAt;
    private volatile string? _why;

    public Tunnel(string app, TimeProvider clock) => (App, _clock, _heardAt) = (app, clock, clock.GetTimestamp());

    public string Id { get; } = Guid.NewGuid().ToString("N");

    public string App { get; }

    /// <summary>How long the service has been silent.</summary>
    public TimeSpan Silence => _clock.GetElapsedTime(Interlocked.Read(ref _heardAt));

    /// <summary>Takes a message of the service.</summary>
    /// <returns>False if the connection is over.</returns>
    public async Task<bool> TakeAsync(long number, byte[] message)
    {
        Heard();
        if (Interlocked.Increment(ref _sent) != number)
        {
            Abort();
            return false;
        }

        try
        {
            await _in.Writer.WriteAsync(message, _aborted.Token);
            return true;
        }
        catch (Exception over) when (over is OperationCanceledException or ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>The service will send no more.</summary>
    public void EndOfInput() => _in.Writer.TryComplete();

    /// <summary>What there is for the service; null if the connection is over.</summary>
    public async Task<ReceivedMessages?> FetchAsync(long number)
    {
        Heard();
        if (Interlocked.Increment(ref _received) != number)
        {
            Abort();
            return null;
        }

        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_aborted.Token);
            limit.CancelAfter(LongestWait);
            var isOpen = await _out.Reader.WaitToReadAsync(limit.Token);
            List<byte[]> messages = [];
            while (isOpen && messages.Count < MaxAtOnce && _out.Reader.TryRead(out var message))
            {
                messages.Add(message);
            }

            return new ReceivedMessages { Messages = [.. messages], IsClosed = !isOpen, Why = isOpen ? null : _why };
        }
        catch (OperationCanceledException)
        {
            return _aborted.IsCancellationRequested ? null : new ReceivedMessages { Messages = [] };
        }
        finally
        {
            Heard();
        }
    }

    protected override void OnAborted()
    {
        _aborted.Cancel();
        _in.Writer.TryComplete();
        _out.Writer.TryComplete();
    }

    protected override async ValueTask<(byte[]? Message, string? Why)> ReadAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        try
        {
            return await _in.Reader.WaitToReadAsync(limit.Token) && _in.Reader.TryRead(out var message) ? (message, null) : (null, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Over();
        }
    }

    protected override async Task WriteAsync(byte[] message, CancellationToken cancellationToken)
    {
        try
        {
            await _out.Writer.WriteAsync(message, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw Over();
        }
    }

    protected override Task CloseWritingAsync(string? why, CancellationToken cancellationToken)
    {
        _why = why;
        _out.Writer.TryComplete();
        return Task.CompletedTask;
    }

    private void Heard() => Interlocked.Exchange(ref _heardAt, _clock.GetTimestamp());
}
