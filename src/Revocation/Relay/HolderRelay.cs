using System.Collections.Concurrent;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Relay;

/// <summary>Lets holders renew through this one: the store sees one transaction a second however many there are.</summary>
/// <remarks>
/// A relayed renewal is a renewal of its own (h2): it begins after the request came, adds one to that holder's counter in the same
/// transaction that reads the log, and the holder counts its lease from before it asked. So nothing has to be said about how old
/// the answer is (docs/decisions/0007).
/// </remarks>
/// <param name="inner">The store.</param>
/// <param name="address">Where this process hears of revocations.</param>
/// <param name="capacity">Holders to let in.</param>
public sealed class HolderRelay(IHolderStore inner, Func<string> address, int capacity = int.MaxValue) : IHolderStore
{
    // Longer than a healthy one takes by far; whoever does not confirm is waited for by lease.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, IRelayedHolder> _others = new();

    /// <summary>How many renew through this one.</summary>
    public int Count => _others.Count;

    /// <summary>Whether as many are connected as may be.</summary>
    public bool IsFull => _others.Count >= capacity;

    /// <summary>Registers a holder here. It is handed everything that becomes visible after its registration, and perhaps a little from before.</summary>
    /// <param name="other">Which.</param>
    /// <param name="row">Its row; the address is filled in.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<RegisteredHolder> AttachAsync(IRelayedHolder other, HolderRow row, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(row);

        // First, so that no renewal that reads what follows the registration passes it by.
        _others[other.Incarnation] = other;
        try
        {
            return await inner.RegisterAsync(row with { Address = address() }, cancellationToken);
        }
        catch
        {
            Detach(other);
            throw;
        }
    }

    /// <summary>A holder's first renewal, which waits for nobody: after a break it is not fresh until then.</summary>
    /// <param name="other">Attached a moment ago.</param>
    /// <param name="cursor">Of its registration.</param>
    /// <param name="request">Its number; it had come before this was called.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RenewFirstAsync(IRelayedHolder other, string cursor, long request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(other);
        var renewed = await inner.RenewAsync(new HolderRenewal(other.Incarnation, cursor, []), cancellationToken);
        if (renewed.Entries.Count > 0)
        {
            _ = other.DeliverAsync(renewed.Entries);
        }

        End(other, renewed, request);
    }

    /// <summary>It is not connected any more. Its row stays until it says that it has stopped, or the reaper finds it.</summary>
    public void Detach(IRelayedHolder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _others.TryRemove(KeyValuePair.Create(other.Incarnation, other));
    }

    /// <summary>Hands entries to all that are connected.</summary>
    /// <returns>Those that confirmed.</returns>
    public async Task<IReadOnlyCollection<Guid>> PushAsync(IReadOnlyList<RevocationEntry> entries, TimeProvider clock)
    {
        if (_others.IsEmpty)
        {
            return [];
        }

        var deliveries = _others.Values.Select(other => (other.Incarnation, Confirmed: other.DeliverAsync(entries))).ToList();
        try
        {
            await Task.WhenAll(deliveries.Select(delivery => delivery.Confirmed)).WaitAsync(Patience, clock);
        }
        catch (Exception)
        {
            // Some did not: they are not in the answer.
        }

        return [.. deliveries.Where(delivery => delivery.Confirmed.IsCompletedSuccessfully).Select(delivery => delivery.Incarnation)];
    }

    /// <inheritdoc/>
    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        var registered = await inner.RegisterAsync(row, cancellationToken);

        // What became visible between the last renewal and the head of this registration is read by nobody: whoever was here before
        // has missed it and starts anew as well.
        foreach (var other in _others.Values)
        {
            Detach(other);
            other.Lost();
        }

        return registered;
    }

    /// <inheritdoc/>
    public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(renewal);

        // Noted before the renewal leaves: a request that comes meanwhile is for the next one.
        var asked = _others.Values.Select(other => (Other: other, Request: other.Requested)).Where(pair => pair.Request > 0).ToList();
        var renewed = await inner.RenewAsync(renewal with { Others = [.. asked.Select(pair => pair.Other.Incarnation)] }, cancellationToken);
        if (renewed.Entries.Count > 0)
        {
            foreach (var other in _others.Values)
            {
                _ = other.DeliverAsync(renewed.Entries);
            }
        }

        foreach (var (other, request) in asked)
        {
            End(other, renewed, request);
        }

        return renewed;
    }

    /// <inheritdoc/>
    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => inner.LeaveAsync(incarnation, cancellationToken);

    private void End(IRelayedHolder other, RenewedHolder renewed, long request)
    {
        if (renewed.Lost.Contains(other.Incarnation))
        {
            Detach(other);
            other.Lost();
        }
        else
        {
            other.Renewed(request);
        }
    }
}
