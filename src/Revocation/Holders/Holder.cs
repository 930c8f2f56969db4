using Grid.Revocation.Log;

namespace Grid.Revocation.Holders;

/// <summary>A process that accepts access tokens without asking: which sessions it vouches for, and until when (rules h1–h6).</summary>
/// <remarks>
/// Safe for any number of threads; checks take no lock. It does nothing by itself: <see cref="HolderLoop"/> keeps it fresh,
/// <see cref="SessionChecks"/> fills it. Why its answers can be relied on is argued in <c>docs/revocation.md</c>.
/// </remarks>
internal sealed class Holder
{
    // h6: a clock that jumped, or stood still while another went on.
    private static readonly TimeSpan MaxDrift = TimeSpan.FromMilliseconds(500);

    private readonly Lock _changing = new();
    private readonly SessionWatches _watches = new();
    private readonly HashSet<(string App, string Kid)> _revokedKeys = [];
    private readonly TimeProvider _clock;
    private readonly int _capacity;
    private volatile HolderState? _state;

    /// <param name="clock">Time that goes on while the machine is suspended: <see cref="LeaseClock"/>.</param>
    /// <param name="capacity">Sessions to vouch for at most; what nobody asks for goes first.</param>
    public Holder(TimeProvider clock, int capacity = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_clock, _capacity) = (clock, capacity);
    }

    /// <summary>A signing key was revoked: app and kid. Whoever holds it drops it before this returns.</summary>
    public event Action<string, string>? KeyRevoked;

    /// <summary>Entries were applied, some of them perhaps for the second time. Quick handlers only.</summary>
    public event Action<IReadOnlyList<RevocationEntry>>? Applied;

    /// <summary>Freshness was lost because clocks disagree: a renewal should follow at once.</summary>
    public event Action? Suspected;

    /// <summary>This incarnation's id; null while not registered.</summary>
    public Guid? Incarnation => _state?.Incarnation;

    /// <summary>Whether it may vouch at this moment.</summary>
    public bool IsFresh => _state is { } state && IsFreshNow(state, out _);

    /// <summary>Time since the renewal that it lives on was sent; null if it is not fresh.</summary>
    public TimeSpan? Age => _state is { Freshness: { } freshness } state && IsFreshNow(state, out _) ? _clock.GetElapsedTime(freshness.SentAt) : null;

    /// <summary>For the model, which has to tell states apart.</summary>
    internal HolderState? State => _state;

    /// <summary>Sessions that it vouches for.</summary>
    public int Count => _state?.Sessions.Count ?? 0;

    /// <summary>h1: forgets everything and vouches for nothing until the next <see cref="Begin"/>.</summary>
    public void Forget() => Replace(null);

    /// <summary>h1: starts an incarnation whose registration is committed. It knows nothing, and is not fresh before its first renewal.</summary>
    public void Begin(Guid incarnation, LeaseTerms terms, IEnumerable<(string App, string Kid)> revokedKeys)
    {
        ArgumentNullException.ThrowIfNull(terms);
        ArgumentNullException.ThrowIfNull(revokedKeys);
        foreach (var (app, kid) in revokedKeys)
        {
            RevokeKey(app, kid);
        }

        Replace(new HolderState(incarnation, terms, Ticks(terms.Wait), _capacity));
    }

    /// <summary>h2: call it before the renewal leaves.</summary>
    /// <exception cref="InvalidOperationException">Not registered.</exception>
    public RenewalTicket StartRenewal() =>
        new(_state ?? throw new InvalidOperationException("The holder is not registered."), _clock.GetTimestamp(), _clock.GetUtcNow());

    /// <summary>h2: applies what the renewal read, and only then vouches on.</summary>
    /// <returns>False if the incarnation is over: nothing was done.</returns>
    public bool Renewed(RenewalTicket ticket, IReadOnlyList<RevocationEntry> entries)
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
            var until = ticket.SentAt + Ticks(ticket.State.Terms.Lease);
            if (ticket.State.Freshness is not { } freshness || freshness.Until < until)
            {
                ticket.State.Freshness = new Freshness(until, ticket.SentAt, ticket.WallAt);
            }

        }

        Tell(entries);
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
                RevokeKeys(entries);
            }
        }

        Tell(entries);
    }

    /// <summary>h4: call it before the store is asked.</summary>
    /// <returns>Null if the holder is not registered or not fresh: then asking is of no use.</returns>
    public LookTicket? StartLook(SessionName name)
    {
        lock (_changing)
        {
            if (_state is not { } state || !IsFreshNow(state, out _))
            {
                return null;
            }

            var ticket = new LookTicket(state, _clock.GetTimestamp(), state.Applied);
            state.Looks[name] = ticket;
            return ticket;
        }
    }

    /// <summary>h4: takes over what the store said, unless something came in between.</summary>
    public LookOutcome Looked(LookTicket ticket, SessionName name, FoundSession? found)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        lock (_changing)
        {
            var state = ticket.State;
            if (state.Looks.TryGetValue(name, out var latest) && ReferenceEquals(latest, ticket))
            {
                state.Looks.Remove(name);
            }

            if (state != _state || _clock.GetTimestamp() - ticket.StartedAt >= Ticks(state.Terms.Wait))
            {
                return LookOutcome.Void;
            }

            if (found is null)
            {
                // A row that is gone without an entry has expired and was purged, or its entry is on the way.
                if (state.Sessions.TryGetValue(name, out var known))
                {
                    state.Remove(known);
                }

                _watches.EndOlder(name, ticket.StartedAt);
                return LookOutcome.NotThere;
            }

            if (state.Gone.Covers(found, ticket.Applied))
            {
                return LookOutcome.Void;
            }

            state.Add(new KnownSession(found, ticket.Changed ? long.MinValue : ticket.StartedAt), _watches.Contains);
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

        if (!IsFreshNow(state, out var wall))
        {
            return HolderVerdict.NotFresh;
        }

        if (known.Found.ExpiresAt <= wall)
        {
            return HolderVerdict.Unknown;
        }

        // Written once per round of evictions, not per check: the line stays shared between cores.
        if (!known.Used)
        {
            known.Used = true;
        }

        session = known;
        return HolderVerdict.Known;
    }

    /// <summary>Whether what is remembered of a session beside its life was read within this time and is not known to have changed.</summary>
    public bool HasDetails(KnownSession session, TimeSpan within)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.ReadAt != long.MinValue && _clock.GetElapsedTime(session.ReadAt) <= within;
    }

    /// <summary>A session was changed: what is remembered of it beside its life is outdated.</summary>
    public void Changed(SessionName name)
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

    /// <summary>Whether a signing key was revoked.</summary>
    public bool IsRevokedKey(string app, string kid)
    {
        lock (_revokedKeys)
        {
            return _revokedKeys.Contains((app, kid));
        }
    }

    /// <summary>Watches a session, known or not.</summary>
    internal SessionWatch Watch(SessionName name)
    {
        lock (_changing)
        {
            return _watches.Add(name, _clock.GetTimestamp());
        }
    }

    /// <summary>Whoever watched before the first registration knew his session's tenant and id, but not by which name his app goes.</summary>
    internal void NameWatches(string app)
    {
        if (app.Length > 0)
        {
            _watches.Name(app);
        }
    }

    /// <summary>Sessions that somebody watches and that the holder does not vouch for now: not seen yet, over, or at the end of their time.</summary>
    internal IReadOnlyList<SessionName> UnseenWatched()
    {
        lock (_changing)
        {
            return [.. _watches.Names.Where(name => Check(name, out _) != HolderVerdict.Known)];
        }
    }

    private void Tell(IReadOnlyList<RevocationEntry> entries)
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
            // A check that still has the old state in hand must not be taken in by its lease.
            if (_state is { } old)
            {
                old.Freshness = null;
            }

            _state = next;
        }
    }

    private void ApplyTo(HolderState state, IReadOnlyList<RevocationEntry> entries)
    {
        var now = _clock.GetTimestamp();
        state.Gone.Purge(now);
        foreach (var entry in entries)
        {
            state.Applied++;
            switch (entry.Kind)
            {
                case RevocationKind.Session when entry.Session is { } name:
                    if (state.Sessions.TryGetValue(name, out var named))
                    {
                        End(state, named);
                    }

                    _watches.End(name);
                    state.Gone.AddSession(name, now);
                    break;
                case RevocationKind.User:
                    var user = new UserName(entry.App, entry.Tenant!, entry.UserId!);
                    EndAll(state, state.OfUser(user).Where(s => s.Found.Epoch < entry.Epoch && s.Found.Name != entry.Kept));
                    state.Gone.AddUser(user, entry.Epoch, now);
                    break;
                case RevocationKind.Tenant or RevocationKind.App:
                    EndAll(state, state.Sessions.Values.Where(s => s.Found.Name.App == entry.App && (entry.Kind == RevocationKind.App || s.Found.Name.Tenant == entry.Tenant)));
                    state.Gone.AddScope(entry.App, entry.Kind == RevocationKind.App ? null : entry.Tenant, state.Applied, now);
                    break;
                case RevocationKind.SigningKey:
                    RevokeKey(entry.App, entry.Kid!);
                    break;
                default:
                    // A later version revoked something that this one cannot name: nothing that it remembers can be relied on.
                    EndAll(state, state.Sessions.Values);
                    state.Gone.AddScope(entry.App, null, state.Applied, now);
                    break;
            }
        }
    }

    private void EndAll(HolderState state, IEnumerable<KnownSession> sessions)
    {
        foreach (var session in sessions.ToList())
        {
            End(state, session);
        }
    }

    private void End(HolderState state, KnownSession session)
    {
        state.Remove(session);
        _watches.End(session.Found.Name);
    }

    private void RevokeKeys(IReadOnlyList<RevocationEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Kind == RevocationKind.SigningKey)
            {
                RevokeKey(entry.App, entry.Kid!);
            }
        }
    }

    private void RevokeKey(string app, string kid)
    {
        lock (_revokedKeys)
        {
            if (!_revokedKeys.Add((app, kid)))
            {
                return;
            }
        }

        KeyRevoked?.Invoke(app, kid);
    }

    private bool IsFreshNow(HolderState state, out DateTimeOffset wall)
    {
        if (state.Freshness is not { } freshness)
        {
            wall = default;
            return false;
        }

        wall = _clock.GetUtcNow();
        var now = _clock.GetTimestamp();
        if (now >= freshness.Until)
        {
            return false;
        }

        return Agree(freshness, wall, now) || AgreeAfterAll(state, freshness);
    }

    // Whoever was interrupted between two readings sees a drift that is none: read again before it counts.
    private bool AgreeAfterAll(HolderState state, Freshness freshness)
    {
        if (Agree(freshness, _clock.GetUtcNow(), _clock.GetTimestamp()))
        {
            return true;
        }

        state.Drop(freshness);
        Suspected?.Invoke();
        return false;
    }

    private bool Agree(Freshness freshness, DateTimeOffset wall, long now) =>
        ((wall - freshness.WallAt) - _clock.GetElapsedTime(freshness.SentAt, now)).Duration() <= MaxDrift;

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _clock.TimestampFrequency);
}
