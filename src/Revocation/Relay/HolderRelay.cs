using System.Collections.Concurrent;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Relay;

/// <summary>Lets other holders renew through this process: the store sees one transaction a second, however many there are.</summary>
/// <remarks>
/// A relayed renewal is a renewal of its own (h2): it begins after the request came, adds one to that holder's counter in the same
/// transaction that reads the log, and the holder counts its lease from before it asked. So nothing has to be said about how old
/// the answer is (docs/decisions/0007).
/// </remarks>
/// <param name="inner">The store.</param>
/// <param name="services">The registry, for services.</param>
/// <param name="address">Address at which revocations reach this process.</param>
/// <param name="limits">How many holders to admit.</param>
internal sealed class HolderRelay(IHolderStore inner, IServiceStore services, Func<string> address, RelayLimits limits) : IHolderStore
{
    // Much longer than a healthy holder takes; for one that does not confirm, its lease is waited out.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, Relayed> _others = new();

    /// <summary>How many holders renew through this process.</summary>
    public int Count => _others.Count;

    /// <summary>Whether the limit of connections is reached.</summary>
    public bool IsFull => _others.Count >= limits.Capacity;

    /// <summary>How many holders it admits.</summary>
    public RelayLimits Limits => limits;

    /// <summary>Registers a holder here. It is given every entry that becomes visible after its registration, and perhaps a few earlier ones.</summary>
    /// <param name="other">The holder.</param>
    /// <param name="row">Its row; the address is filled in.</param>
    /// <param name="secretHash">Hash of the secret that it will be given.</param>
    /// <param name="former">Its previous incarnation, to be removed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<RegisteredService> AttachAsync(IRelayedHolder other, HolderRow row, byte[] secretHash, OwnRow? former, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(row);
        if (IsFull)
        {
            return new RegisteredService(null, RegistrationRefusal.Full);
        }

        // Added first, so that no renewal which reads past the registration misses it. It confirms nothing before its row is committed.
        var relayed = new Relayed(other);
        if (!_others.TryAdd(other.Incarnation, relayed))
        {
            return new RegisteredService(null, RegistrationRefusal.Taken);
        }

        try
        {
            var registered = await services.RegisterServiceAsync(
                new ServiceRegistration(row with { Address = address() }, secretHash, former, limits.PerApp), cancellationToken);
            relayed.IsRegistered = registered.Holder is not null;
            return registered;
        }
        finally
        {
            if (!relayed.IsRegistered)
            {
                Detach(other);
            }
        }
    }

    /// <summary>Removes a holder that has stopped accepting sessions, with its row.</summary>
    public Task<bool> LeaveAsync(IRelayedHolder other, OwnRow own, CancellationToken cancellationToken)
    {
        Detach(other);
        return services.LeaveServiceAsync(own, cancellationToken);
    }

    /// <summary>A holder's first renewal. It does not wait for this process's next one: after a break the holder is not fresh until then.</summary>
    /// <param name="other">The holder, just attached.</param>
    /// <param name="cursor">From its registration.</param>
    /// <param name="request">Number of the request, received before this call.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RenewFirstAsync(IRelayedHolder other, string cursor, long request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(other);
        var renewed = await inner.RenewAsync(new HolderRenewal(null, cursor, [other.Row]), cancellationToken);
        if (Of(other.Row.App, renewed.Entries) is { Count: > 0 } own)
        {
            _ = other.DeliverAsync(own);
        }

        End(other, renewed, request);
    }

    /// <summary>A holder has disconnected. Its row stays until it leaves the registry or the reaper removes it.</summary>
    /// <returns>Whether it was attached.</returns>
    public bool Detach(IRelayedHolder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _others.TryGetValue(other.Incarnation, out var relayed) && relayed.Other == other
            && _others.TryRemove(KeyValuePair.Create(other.Incarnation, relayed));
    }

    /// <summary>h3 for all holders that this process answers for: its own, and those that renew through it.</summary>
    /// <param name="own">This process's holder.</param>
    /// <param name="entries">Committed.</param>
    /// <param name="clock">This process's clock.</param>
    /// <returns>Incarnations that refuse from now on what the entries end.</returns>
    public async Task<IReadOnlyCollection<Guid>> ApplyAsync(Holder own, IReadOnlyList<RevocationEntry> entries, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(own);

        // Read the incarnation before applying: one that registers later has already read this commit from the store and must not be
        // reported as confirmed.
        var incarnation = own.Incarnation;
        var others = PushAsync(entries, clock);
        own.Apply(entries);
        var confirmed = await others;
        return incarnation is { } mine ? [mine, .. confirmed] : confirmed;
    }

    /// <summary>Hands entries to all holders of the apps concerned.</summary>
    /// <returns>Those that confirmed.</returns>
    public async Task<IReadOnlyCollection<Guid>> PushAsync(IReadOnlyList<RevocationEntry> entries, TimeProvider clock)
    {
        if (_others.IsEmpty)
        {
            return [];
        }

        var began = clock.GetTimestamp();
        List<(Relayed To, Task Confirmed)> deliveries = [.. Deliver(entries)];
        if (deliveries.Count == 0)
        {
            return [];
        }

        try
        {
            await Task.WhenAll(deliveries.Select(delivery => delivery.Confirmed)).WaitAsync(Patience, clock);
        }
        catch (Exception)
        {
            // Those that did not confirm are left out of the answer.
        }

        List<Guid> confirmed = [];
        foreach (var (relayed, delivery) in deliveries)
        {
            if (delivery.IsCompletedSuccessfully && relayed.IsRegistered)
            {
                confirmed.Add(relayed.Other.Incarnation);
            }

            // A delivery fails when the connection breaks, and then the holder is detached anyway.
            if (!delivery.IsFaulted && relayed.IsTooSilent(delivery.IsCompletedSuccessfully, began, clock.GetTimestamp()))
            {
                End(relayed.Other, HolderLoss.Silent);
            }
        }

        return confirmed;
    }

    /// <inheritdoc/>
    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        var registered = await inner.RegisterAsync(row, cancellationToken);

        // Entries that became visible between the last renewal and the head of this registration are read by no renewal: holders that were
        // attached before have missed them and must start over as well.
        foreach (var relayed in _others.Values)
        {
            End(relayed.Other, HolderLoss.MissedEntries);
        }

        return registered;
    }

    /// <inheritdoc/>
    public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(renewal);

        // Taken before the renewal leaves: a request that arrives later is for the next one.
        var asked = _others.Values.Where(relayed => relayed.IsRegistered).Select(relayed => (relayed.Other, Request: relayed.Other.Requested)).Where(pair => pair.Request > 0).ToList();
        var renewed = await inner.RenewAsync(renewal with { Others = [.. asked.Select(pair => pair.Other.Row)] }, cancellationToken);
        foreach (var _ in Deliver(renewed.Entries))
        {
            // A renewal does not wait for confirmations.
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
            End(other, HolderLoss.NotRegistered);
        }
        else
        {
            other.AnswerRenewal(request);
        }
    }

    // Its row stays, because it may still be fresh: its counter stands still, and the reaper removes it when its lease has run out.
    private void End(IRelayedHolder other, HolderLoss why)
    {
        if (Detach(other))
        {
            other.DeclareLost(why);
        }
    }

    // Most revocations concern one app, and most services belong to another.
    private IEnumerable<(Relayed To, Task Confirmed)> Deliver(IReadOnlyList<RevocationEntry> entries)
    {
        if (entries.Count == 0)
        {
            yield break;
        }

        foreach (var (_, relayed) in _others)
        {
            if (Of(relayed.Other.Row.App, entries) is { Count: > 0 } own)
            {
                yield return (relayed, relayed.Other.DeliverAsync(own));
            }
        }
    }

    private static IReadOnlyList<RevocationEntry> Of(string app, IReadOnlyList<RevocationEntry> entries) =>
        entries.All(entry => entry.App == app) ? entries : [.. entries.Where(entry => entry.App == app)];

    private sealed class Relayed(IRelayedHolder other)
    {
        private const int MaxMissed = 3;

        private readonly Lock _judging = new();
        private int _missed;
        private long _missedUntil = long.MinValue;
        private volatile bool _isRegistered;

        public IRelayedHolder Other => other;

        public bool IsRegistered
        {
            get => _isRegistered;
            set => _isRegistered = value;
        }

        /// <summary>Whether it has missed so many deliveries in a row that its renewals only hold up revocations. Concurrent ones count once.</summary>
        public bool IsTooSilent(bool hasConfirmed, long began, long now)
        {
            lock (_judging)
            {
                if (hasConfirmed)
                {
                    _missed = 0;
                }
                else if (began >= _missedUntil)
                {
                    (_missed, _missedUntil) = (_missed + 1, now);
                }

                return _missed >= MaxMissed;
            }
        }
    }
}
