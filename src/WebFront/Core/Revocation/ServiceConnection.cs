using System.Collections.Concurrent;
using Grid.Revocation.Log;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>A connected service as the relay sees it. It hears of its own app's revocations only.</summary>
internal sealed class ServiceConnection(HolderSocket socket, Guid incarnation, string app) : IRelayedHolder
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _unconfirmed = new();
    private long _deliveries;
    private long _requested;

    public Guid Incarnation => incarnation;

    public long Requested => Interlocked.Read(ref _requested);

    public void Ask(long request) => Interlocked.Exchange(ref _requested, request);

    public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
    {
        var own = entries.Where(entry => entry.App == app).ToList();
        if (own.Count == 0)
        {
            return Task.CompletedTask;
        }

        var number = Interlocked.Increment(ref _deliveries);
        var confirmed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _unconfirmed[number] = confirmed;
        socket.Send(new HolderMessage { Type = HolderMessageType.Entries, N = number, Entries = [.. own.Select(HolderEntry.Of)] });
        return confirmed.Task;
    }

    public void Confirm(long number)
    {
        if (_unconfirmed.TryRemove(number, out var confirmed))
        {
            confirmed.SetResult();
        }
    }

    public void Renewed(long request)
    {
        Interlocked.CompareExchange(ref _requested, 0, request);
        socket.Send(new HolderMessage { Type = HolderMessageType.Renewed, N = request });
    }

    public void Lost() => socket.Send(new HolderMessage { Type = HolderMessageType.Lost });
}
