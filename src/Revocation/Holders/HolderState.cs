using System.Collections.Concurrent;

namespace Grid.Revocation.Holders;

/// <summary>What one incarnation of a holder knows. A new incarnation starts with a new, empty one; tickets of the old lead nowhere.</summary>
internal sealed class HolderState(Guid incarnation, LeaseTerms terms, long keepGone, int capacity)
{
    private readonly Dictionary<UserName, SessionNames> _users = [];
    private readonly Queue<KnownSession> _order = new();
    private volatile Freshness? _freshness;

    public Guid Incarnation { get; } = incarnation;

    public LeaseTerms Terms { get; } = terms;

    public ConcurrentDictionary<SessionName, KnownSession> Sessions { get; } = new();

    public Dictionary<SessionName, LookTicket> Looks { get; } = [];

    public GoneList Gone { get; } = new(keepGone);

    /// <summary>Entries applied so far.</summary>
    public long Applied { get; set; }

    /// <summary>Null: not fresh.</summary>
    public Freshness? Freshness
    {
        get => _freshness;
        set => _freshness = value;
    }

    /// <summary>Takes this lease back, but not one that a renewal has given meanwhile.</summary>
    public void Drop(Freshness freshness) => Interlocked.CompareExchange(ref _freshness, null, freshness);

    public void Add(KnownSession session, Predicate<SessionName> isPinned)
    {
        var name = session.Found.Name;
        Sessions[name] = session;
        var user = User(session);
        if (_users.TryGetValue(user, out var names))
        {
            names.Add(name);
        }
        else
        {
            _users.Add(user, new SessionNames(name));
        }

        _order.Enqueue(session);
        Evict(session, isPinned);
    }

    public void Remove(KnownSession session)
    {
        var name = session.Found.Name;
        session.End();
        if (Sessions.TryRemove(KeyValuePair.Create(name, session)) && _users.TryGetValue(User(session), out var names) && names.RemoveAndIsEmpty(name))
        {
            _users.Remove(User(session));
        }
    }

    public IReadOnlyList<KnownSession> OfUser(UserName user)
    {
        List<KnownSession> sessions = [];
        if (_users.TryGetValue(user, out var names))
        {
            foreach (var name in names.All)
            {
                if (Sessions.TryGetValue(name, out var session))
                {
                    sessions.Add(session);
                }
            }
        }

        return sessions;
    }

    private static UserName User(KnownSession session) => new(session.Found.Name.App, session.Found.Name.Tenant, session.Found.UserId);

    // Second chance: what a check has met since the last time round stays. So does what was just added, for the check that it was read
    // for, even if that makes one too many. Each session stands in the queue once for each time it was read.
    private void Evict(KnownSession added, Predicate<SessionName> isPinned)
    {
        var tries = _order.Count;
        while (Sessions.Count > capacity && tries-- > 0 && _order.TryDequeue(out var oldest))
        {
            var name = oldest.Found.Name;
            if (!Sessions.TryGetValue(name, out var current) || !ReferenceEquals(current, oldest))
            {
                continue;
            }

            if (oldest.Used || ReferenceEquals(oldest, added) || isPinned(name))
            {
                oldest.Used = false;
                _order.Enqueue(oldest);
            }
            else
            {
                Remove(oldest);
            }
        }

        // Sessions that ended long ago must not hold the queue's memory.
        while (_order.Count > 2 * Math.Max(Sessions.Count, 64) && _order.TryDequeue(out var stale))
        {
            if (Sessions.TryGetValue(stale.Found.Name, out var current) && ReferenceEquals(current, stale))
            {
                _order.Enqueue(stale);
            }
        }
    }

    /// <summary>Mostly one.</summary>
    private sealed class SessionNames(SessionName one)
    {
        private SessionName? _one = one;
        private HashSet<SessionName>? _more;

        public IEnumerable<SessionName> All => _more ?? (_one is { } single ? [single] : Enumerable.Empty<SessionName>());

        public void Add(SessionName name)
        {
            if (_more is null && _one is { } single && single != name)
            {
                (_more, _one) = ([single], null);
            }

            _ = _more?.Add(name);
            _one = _more is null ? name : null;
        }

        public bool RemoveAndIsEmpty(SessionName name)
        {
            _ = _more?.Remove(name);
            if (_one == name)
            {
                _one = null;
            }

            return _one is null && _more is not { Count: > 0 };
        }
    }
}

/// <summary>Until when the holder may vouch, and both clocks when the renewal was sent.</summary>
internal sealed record Freshness(long Until, long SentAt, DateTimeOffset WallAt);
