using System.Collections.Concurrent;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>A connected service as the relay sees it. It receives only its own app's revocations.</summary>
internal sealed class ServiceConnection(HolderSocket socket, OwnRow row, TimeProvider clock) : IRelayedHolder
{
    // Well below the maximum message size of a service, even with the longest user ids.
    private const int EntriesPerMessage = 200;

    private readonly ConcurrentDictionary<long, TaskCompletionSource> _unconfirmed = new();
    private readonly TaskCompletionSource<string> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _deliveries;
    private long _requested;
    private long _askedAt = clock.GetTimestamp();
    private volatile bool _wasRenewed;

    public Guid Incarnation => row.Incarnation;

    /// <summary>The row, with the secret that proves that it is this service's own.</summary>
    public OwnRow Row => row;

    public long Requested => Interlocked.Read(ref _requested);

    /// <summary>Whether it was ever told that it is fresh. Before that it accepts nothing, so no revocation has to wait for it.</summary>
    public bool WasRenewed => _wasRenewed;

    /// <summary>Completes with the reason when this side ends the connection.</summary>
    public Task<string> Over => _over.Task;

    /// <summary>Why this side ended the connection; null if it did not.</summary>
    public HolderLoss? Loss { get; private set; }

    /// <summary>Time since its last renewal, or since it connected.</summary>
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

    /// <summary>Tells the service, after everything queued before, that its incarnation is over, and ends the connection.</summary>
    public void End(string reason)
    {
        if (_over.TrySetResult(reason))
        {
            socket.Send(new HolderMessage { Type = HolderMessageType.Lost, Reason = reason });
        }
    }

    /// <summary>Marks the connection as closed: nothing more will be confirmed.</summary>
    public void Close()
    {
        _over.TrySetResult("closed");
        foreach (var (number, confirmed) in _unconfirmed)
        {
            _unconfirmed.TryRemove(number, out _);
            if (confirmed.TrySetException(new IOException("The connection of the service is over.")))
            {
                // There may be no waiter.
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
            // A service that does not read its messages has missed entries, so its connection ends.
            Close();
        }

        return confirmed.Task;
    }
}
