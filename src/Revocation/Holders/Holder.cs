using Grid.Revocation.Log;

namespace Grid.Revocation.Holders;

/// <summary>A process that accepts access tokens from memory: which sessions it vouches for, and until when (rules h1–h6).</summary>
/// <remarks>
/// Safe for any number of threads; checks take no lock. It does nothing by itself: <see cref="HolderLoop"/> keeps it fresh,
/// <see cref="SessionChecks"/> fills it. Why its answers can be relied on is argued in <c>docs/revocation.md</c>.
/// </remarks>
internal sealed class Holder
{
    private readonly Lock _changing = new();
    private readonly SessionWatches _watches = new();
    private readonly TimeProvider _clock;
    private readonly int _capacity;
    private volatile HolderState? _state;

    /// <param name="clock">Must include suspension of the machine: <see cref="LeaseClock"/>.</param>
    /// <param name="capacity">How many sessions to remember at most; those not checked lately are forgotten first.</param>
    public Holder(TimeProvider clock, int capacity = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_clock, _capacity) = (clock, capacity);
    }

    /// <summary>Entries were applied, possibly some of them again. Handlers must be quick.</summary>
    public event Action<IReadOnlyList<RevocationEntry>>? Applied;

    /// <summary>Freshness was lost because the clocks disagree: renew at once.</summary>
    public event Action? Suspected;

    /// <summary>Signing keys that were revoked.</summary>
    public RevokedKeys RevokedKeys { get; } = new();

    /// <summary>This incarnation's id; null while not registered.</summary>
    public Guid? Incarnation => _state?.Incarnation;

    /// <summary>Whether it may vouch at this moment.</summary>
    public bool IsFresh => _state is { } state && state.Freshness.IsFreshNow(out _);

    /// <summary>Time since the renewal behind the current lease was sent; null if it is not fresh.</summary>
    public TimeSpan? Age => _state?.Freshness.Age;

    /// <summary>For the model, which has to distinguish states.</summary>
    internal HolderState? State => _state;

    /// <summary>Number of sessions that it vouches for.</summary>
    public int Count => _state?.Sessions.Count ?? 0;

    /// <summary>h1: forgets everything and vouches for nothing until the next <see cref="Begin"/>.</summary>
    public void Forget() => Replace(null);

    /// <summary>h1: starts an incarnation whose registration is committed. It knows nothing, and is not fresh before its first renewal.</summary>
    public void Begin(Guid incarnation, LeaseTerms terms, IEnumerable<(string App, string Kid)> revokedKeys)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(revokedKeys);
        RevokedKeys.Add(revokedKeys);
        Replace(new HolderState(incarnation, new Freshness(_clock, terms.Lease, () => Suspected?.Invoke()), _clock.ToTicks(terms.Wait), _capacity));
    }

    /// <summary>h2: call it before the renewal leaves.</summary>
    /// <exception cref="InvalidOperationException">Not registered.</exception>
    public RenewalTicket StartRenewal() =>
        new(_state ?? throw new InvalidOperationException("The holder is not registered."), _clock.GetTimestamp(), _clock.GetUtcNow());

    /// <summary>h2: applies what the renewal read, and only then vouches on.</summary>
    /// <returns>False, with nothing done, if the incarnation is over.</returns>
    public bool CompleteRenewal(RenewalTicket ticket, IReadOnlyList<RevocationEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ArgumentNullException.ThrowIfNull(entries);
        lock (_changing)
        {
            if (ticket.State != _state)
            {
                return false;
            }

            ApplyTo(ticket.State, entries);
            ticket.State.Freshness.Extend(ticket.SentAt, ticket.WallAt);
        }

        RaiseApplied(entries);
        return true;
    }

    /// <summary>h3: when this returns, no check that starts later accepts what the entries end; then it may be confirmed.</summary>
    public void Apply(IReadOnlyList<RevocationEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        lock (_changing)
        {
            if (_state is { } state)
            {
                ApplyTo(state, entries);
            }
            else
            {
                foreach (var entry in entries)
                {
                    RevokedKeys.Add(entry);
                }
            }
        }

        RaiseApplied(entries);
    }

    /// <summary>h4: call it before the store is asked.</summary>
    /// <returns>Null if the holder is not registered or not fresh: there is no point in asking.</returns>
    public LookTicket? StartLook(SessionName name)
    {
        lock (_changing)
        {
            if (_state is not { } state || !state.Freshness.IsFreshNow(out _))
            {
                return null;
            }

            var ticket = new LookTicket(state, _clock.GetTimestamp(), state.Applied);
            state.Looks[name] = ticket;
            return ticket;
        }
    }

    /// <summary>h4: takes over the store's answer, unless it was overtaken.</summary>
    public LookOutcome CompleteLook(LookTicket ticket, SessionName name, FoundSession? found)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        lock (_changing)
        {
            var state = ticket.State;
            if (state.Looks.TryGetValue(name, out var latest) && ReferenceEquals(latest, ticket))
            {
                state.Looks.Remove(name);
            }

            if (state != _state || _clock.GetTimestamp() - ticket.StartedAt >= state.Wait)
            {
                return LookOutcome.Void;
            }

            if (found is null)
            {
                // The row is gone without an entry: it expired and was purged, or its entry is still on the way.
                if (state.Sessions.TryGetValue(name, out var known))
                {
                    state.Remove(known);
                }

                _watches.EndOlder(name, ticket.StartedAt);
                return LookOutcome.NotThere;
            }

            if (state.Tombstones.Covers(found, ticket.Applied))
            {
                return LookOutcome.Void;
            }

            state.Add(found, ticket.Changed ? long.MinValue : ticket.StartedAt, _watches.Contains);
            return LookOutcome.Known;
        }
    }

    /// <summary>h5: whether the holder vouches for a session. The clock is read last, in this call.</summary>
    public HolderVerdict Check(SessionName name, out KnownSession? session)
    {
        session = null;
        if (_state is not { } state)
        {
            return HolderVerdict.NotFresh;
        }

        if (!state.Sessions.TryGetValue(name, out var known) || known.IsOver)
        {
            return HolderVerdict.Unknown;
        }

        if (!state.Freshness.IsFreshNow(out var wall))
        {
            return HolderVerdict.NotFresh;
        }

        if (known.HasExpiredBy(wall))
        {
            return HolderVerdict.Unknown;
        }

        // Written once per round of evictions, not per check, so that the cache line stays shared between cores.
        if (!known.Used)
        {
            known.Used = true;
        }

        session = known;
        return HolderVerdict.Known;
    }

    /// <summary>Whether a session's details were read within this time and are not known to have changed.</summary>
    public bool HasDetails(KnownSession session, TimeSpan within)
    {
        ArgumentNullException.ThrowIfNull(session);
        var readAt = session.ReadAt;
        return readAt != long.MinValue && _clock.GetElapsedTime(readAt) <= within;
    }

    /// <summary>Marks a session's details as outdated.</summary>
    public void MarkChanged(SessionName name)
    {
        lock (_changing)
        {
            if (_state is not { } state)
            {
                return;
            }

            if (state.Sessions.TryGetValue(name, out var known))
            {
                known.ReadAt = long.MinValue;
            }

            if (state.Looks.TryGetValue(name, out var ticket))
            {
                ticket.Changed = true;
            }
        }
    }

    /// <summary>Number of sessions that are watched.</summary>
    internal int Watched => _watches.Names.Count();

    /// <summary>Watches a session, known or not.</summary>
    internal SessionWatch Watch(SessionName name)
    {
        lock (_changing)
        {
            return _watches.Add(name, _clock.GetTimestamp());
        }
    }

    /// <summary>Fills in the app of watches that were begun before the first registration, when its name was not known yet.</summary>
    internal void NameWatches(string app)
    {
        if (app.Length > 0)
        {
            _watches.Name(app);
        }
    }

    /// <summary>Watched sessions that the holder does not vouch for now: not seen yet, ended or expired.</summary>
    internal IReadOnlyList<SessionName> UnseenWatched()
    {
        lock (_changing)
        {
            return [.. _watches.Names.Where(name => Check(name, out _) != HolderVerdict.Known)];
        }
    }

    private void RaiseApplied(IReadOnlyList<RevocationEntry> entries)
    {
        if (entries.Count > 0)
        {
            Applied?.Invoke(entries);
        }
    }

    private void Replace(HolderState? next)
    {
        lock (_changing)
        {
            // A check that still holds the old state must not trust its lease.
            _state?.Freshness.End();
            _state = next;
        }
    }

    private void ApplyTo(HolderState state, IReadOnlyList<RevocationEntry> entries)
    {
        var now = _clock.GetTimestamp();
        state.Tombstones.Purge(now);
        foreach (var entry in entries)
        {
            state.Apply(entry, now, _watches);
            RevokedKeys.Add(entry);
        }
    }
}
