using System.Collections.Concurrent;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>A connected service as the relay sees it. It hears of its own app's revocations only.</summary>
internal sealed class ServiceConnection(HolderSocket socket, OwnRow row, TimeProvider clock) : IRelayedHolder
{
    // Well below what a service takes in one message, also with the longest user ids.
    private const int EntriesPerMessage = 200;

    private readonly ConcurrentDictionary<long, TaskCompletionSource> _unconfirmed = new();
    private readonly TaskCompletionSource<string> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _deliveries;
    private long _requested;
    private long _askedAt = clock.GetTimestamp();
    private volatile bool _wasRenewed;

    public Guid Incarnation => row.Incarnation;

    /// <summary>What it has to say to be believed that the row is its own.</summary>
    public OwnRow Row => row;

    public long Requested => Interlocked.Read(ref _requested);

    /// <summary>Whether it was ever told that it is fresh. Before that it vouches for nothing, so nobody has to wait for it.</summary>
    public bool WasRenewed => _wasRenewed;

    /// <summary>Completed when it is over from this side, and why.</summary>
    public Task<string> Over => _over.Task;

    /// <summary>Why it is over; null if nobody here said so.</summary>
    public HolderLoss? Loss { get; private set; }

    /// <summary>Since it last asked for a renewal, or came.</summary>
    public TimeSpan Idle => clock.GetElapsedTime(Interlocked.Read(ref _askedAt));

    public void Ask(long request)
    {
        Interlocked.Exchange(ref _askedAt, clock.GetTimestamp());
        Interlocked.Exchange(ref _requested, request);
    }

    public Task DeliverAsync(IReadOnlyList<RevocationEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return entries.Count <= EntriesPerMessage ? DeliverOneAsync(entries) : Task.WhenAll(entries.Chunk(EntriesPerMessage).Select(DeliverOneAsync));
    }

    public void Confirm(long number)
    {
        if (_unconfirmed.TryRemove(number, out var confirmed))
        {
            confirmed.TrySetResult();
        }
    }

    public void AnswerRenewal(long request)
    {
        _wasRenewed = true;
        Interlocked.CompareExchange(ref _requested, 0, request);
        socket.Send(new HolderMessage { Type = HolderMessageType.Renewed, N = request });
    }

    public void DeclareLost(HolderLoss why)
    {
        Loss = why;
        End(why switch
        {
            HolderLoss.NotRegistered => "not registered any more: it had not renewed for a lease",
            HolderLoss.MissedEntries => "entries may have passed it by: register anew",
            HolderLoss.Silent => "it did not confirm revocations",
            _ => "over",
        });
    }

    /// <summary>Tells the service that its incarnation is over, after all that was handed over before; the connection follows.</summary>
    public void End(string reason)
    {
        if (_over.TrySetResult(reason))
        {
            socket.Send(new HolderMessage { Type = HolderMessageType.Lost, Reason = reason });
        }
    }

    /// <summary>The connection is gone: nothing more will be confirmed.</summary>
    public void Close()
    {
        _over.TrySetResult("closed");
        foreach (var (number, confirmed) in _unconfirmed)
        {
            _unconfirmed.TryRemove(number, out _);
            if (confirmed.TrySetException(new IOException("The connection of the service is over.")))
            {
                // Perhaps nobody waits.
                _ = confirmed.Task.Exception;
            }
        }
    }

    private Task DeliverOneAsync(IReadOnlyCollection<RevocationEntry> entries)
    {
        var number = Interlocked.Increment(ref _deliveries);
        var confirmed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _unconfirmed[number] = confirmed;
        if (!socket.Send(new HolderMessage { Type = HolderMessageType.Entries, N = number, Entries = [.. entries.Select(HolderEntry.Of)] }) || Over.IsCompleted)
        {
            // One that does not take what it is sent has missed something: its connection ends.
            Close();
        }

        return confirmed.Task;
    }
}
