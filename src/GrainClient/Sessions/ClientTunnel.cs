using Grid.Client;
using Grid.GrainDoors.Tunnels;

namespace Grid.GrainClient.Sessions;

/// <summary>A service's end of a connection over Orleans, by which it is a holder.</summary>
internal sealed class ClientTunnel : TunnelSocket
{
    // The silo answers a fetch within a second: as over a WebSocket, a silence of three is the end.
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(3);

    private readonly DoorCalls _doors;
    private readonly string _id;
    private readonly CancellationTokenSource _over = new();
    private readonly Queue<byte[]> _fetched = [];
    private long _sent;
    private long _received;

    private ClientTunnel(DoorCalls doors, string id) => (_doors, _id) = (doors, id);

    /// <summary>Opens one to the silo that this client is connected to.</summary>
    /// <exception cref="GridException">It cannot be opened.</exception>
    public static async Task<ClientTunnel> OpenAsync(DoorCalls doors, CancellationToken cancellationToken) =>
        new(doors, await doors.HoldersAsync(door => door.OpenAsync(), cancellationToken) ?? throw new IOException("Grid's answer is empty."));

    protected override void OnAborted() => _over.Cancel();

    protected override async ValueTask<(byte[]? Message, string? Why)> ReadAsync(CancellationToken cancellationToken)
    {
        byte[]? next;
        while (!_fetched.TryDequeue(out next))
        {
            // One at a time, so that what comes is in order; one whose answer is lost may have had messages in it, and is the end.
            var number = ++_received;
            var come = await CallAsync(door => door.ReceiveAsync(_id, number), cancellationToken) ?? throw Over();
            foreach (var message in come.Messages)
            {
                _fetched.Enqueue(message);
            }

            if (come.IsClosed && _fetched.Count == 0)
            {
                return (null, come.Why);
            }
        }

        return (next, null);
    }

    protected override async Task WriteAsync(byte[] message, CancellationToken cancellationToken)
    {
        var number = ++_sent;
        await CallAsync(door => door.SendAsync(_id, number, message), cancellationToken);
    }

    protected override async Task CloseWritingAsync(string? why, CancellationToken cancellationToken) => await CallAsync(door => door.CloseAsync(_id), cancellationToken);

    private async Task<T?> CallAsync<T>(Func<IHolderDoor, Task<GrainDoors.DoorAnswer<T>>> call, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _over.Token);
        limit.CancelAfter(SilenceAllowed);
        try
        {
            return await _doors.HoldersAsync(call, limit.Token);
        }
        catch (Exception failure) when (failure is GridException or OperationCanceledException)
        {
            Abort();
            throw Over();
        }
    }
}
