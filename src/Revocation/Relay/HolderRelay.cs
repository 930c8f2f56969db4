using System.Collections.Concurrent;
using Grid.Revocation.Holders;
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
/// <param name="services">Where rows of others are kept.</param>
/// <param name="address">Where this process hears of revocations.</param>
/// <param name="limits">Holders to let in.</param>
internal sealed class HolderRelay(IHolderStore inner, IServiceStore services, Func<string> address, RelayLimits limits) : IHolderStore
{
    // Longer than a healthy one takes by far; whoever does not confirm is waited for by lease.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, Relayed> _others = new();

    /// <summary>How many renew through this one.</summary>
    public int Count => _others.Count;

    /// <summary>Whether as many are connected as may be.</summary>
    public bool IsFull => _others.Count >= limits.Capacity;

    /// <summary>Of this relay.</summary>
    public RelayLimits Limits => limits;

    /// <summary>Registers a holder here. It is handed everything that becomes visible after its registration, and perhaps a little from before.</summary>
    /// <param name="other">Which.</param>
    /// <param name="row">Its row; the address is filled in.</param>
    /// <param name="secretHash">Of the secret that it will be handed.</param>
    /// <param name="former">What it was before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<RegisteredService> AttachAsync(IRelayedHolder other, HolderRow row, byte[] secretHash, OwnRow? former, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(row);
        if (IsFull)
        {
            return new RegisteredService(null, RegistrationRefusal.Full);
        }

        // First, so that no renewal that reads what follows the registration passes it by. It answers for nobody before its row is there.
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

    /// <summary>A holder accepts nothing any more and takes its row with it.</summary>
    public Task<bool> LeaveAsync(IRelayedHolder other, OwnRow own, CancellationToken cancellationToken)
    {
        Detach(other);
        return services.LeaveServiceAsync(own, cancellationToken);
    }

    /// <summary>A holder's first renewal, which waits for nobody: after a break it is not fresh until then.</summary>
    /// <param name="other">Attached a moment ago.</param>
    /// <param name="cursor">Of its registration.</param>
    /// <param name="request">Its number; it had come before this was called.</param>
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

    /// <summary>It is not connected any more. Its row stays until it says that it has stopped, or the reaper finds it.</summary>
    /// <returns>Whether it was.</returns>
    public bool Detach(IRelayedHolder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _others.TryGetValue(other.Incarnation, out var relayed) && relayed.Other == other
            && _others.TryRemove(KeyValuePair.Create(other.Incarnation, relayed));
    }

    /// <summary>h3 for everyone whom this process answers for: its own holder, and those that renew through it.</summary>
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

    /// <summary>Hands entries to all whom they concern.</summary>
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
            // Some did not: they are not in the answer.
        }

        List<Guid> confirmed = [];
        foreach (var (relayed, delivery) in deliveries)
        {
            if (delivery.IsCompletedSuccessfully && relayed.IsRegistered)
            {
                confirmed.Add(relayed.Other.Incarnation);
            }

            // One whose connection broke has failed, and is not there any more.
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

        // What became visible between the last renewal and the head of this registration is read by nobody: whoever was here before
        // has missed it and starts anew as well.
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

        // Noted before the renewal leaves: a request that comes meanwhile is for the next one.
        var asked = _others.Values.Where(relayed => relayed.IsRegistered).Select(relayed => (relayed.Other, Request: relayed.Other.Requested)).Where(pair => pair.Request > 0).ToList();
        var renewed = await inner.RenewAsync(renewal with { Others = [.. asked.Select(pair => pair.Other.Row)] }, cancellationToken);
        foreach (var _ in Deliver(renewed.Entries))
        {
            // Whoever renews confirms later, or not at all: nobody waits for it here.
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

    // Its row stays, for it may be fresh still: the counter stands, and the reaper takes it when its lease has run out.
    private void End(IRelayedHolder other, HolderLoss why)
    {
        if (Detach(other))
        {
            other.DeclareLost(why);
        }
    }

    // Most revocations concern one app, and most services another.
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

        /// <summary>Whether it has let pass so much in a row that it renews only to hold others up. What was under way at the same time counts once.</summary>
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
