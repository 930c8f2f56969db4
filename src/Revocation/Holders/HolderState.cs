using System.Collections.Concurrent;
using Grid.Revocation.Log;

namespace Grid.Revocation.Holders;

/// <summary>What one incarnation of a holder knows. The next one starts empty, and tickets of this one become void.</summary>
/// <param name="incarnation">Its id.</param>
/// <param name="freshness">Its lease.</param>
/// <param name="wait">W in ticks of the holder's clock: how long an entry overrules the result of a look.</param>
/// <param name="capacity">Sessions to vouch for at most.</param>
internal sealed class HolderState(Guid incarnation, Freshness freshness, long wait, int capacity)
{
    private readonly Dictionary<UserName, SessionNames> _users = [];
    private readonly Queue<KnownSession> _order = new();

    public Guid Incarnation { get; } = incarnation;

    public Freshness Freshness { get; } = freshness;

    /// <summary>W, in ticks of the holder's clock.</summary>
    public long Wait { get; } = wait;

    public ConcurrentDictionary<SessionName, KnownSession> Sessions { get; } = new();

    public Dictionary<SessionName, LookTicket> Looks { get; } = [];

    public Tombstones Tombstones { get; } = new(wait);

    /// <summary>Entries applied so far.</summary>
    public long Applied { get; private set; }

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

    /// <summary>h3: forgets what the entry ends, tells those who watch it, and keeps a look that is under way from bringing it back.</summary>
    public void Apply(RevocationEntry entry, long now, SessionWatches watches)
    {
        Applied++;
        switch (entry.Kind)
        {
            case RevocationKind.Session when entry.Session is { } name:
                if (Sessions.TryGetValue(name, out var named))
                {
                    Remove(named);
                }

                watches.End(name);
                Tombstones.AddSession(name, now);
                break;
            case RevocationKind.User:
                var user = new UserName(entry.App, entry.Tenant!, entry.UserId!);
                EndAll(OfUser(user).Where(s => s.Found.Epoch < entry.Epoch && s.Found.Name != entry.Kept), watches);
                Tombstones.AddUser(user, entry.Epoch, now);
                break;
            case RevocationKind.Tenant:
                EndScope(entry, entry.Tenant, OfApp(entry.App).Where(s => s.Found.Name.Tenant == entry.Tenant), now, watches);
                break;
            case RevocationKind.App:
                EndScope(entry, null, OfApp(entry.App), now, watches);
                break;
            case RevocationKind.SigningKey:
                // Ends no session: see RevokedKeys.
                break;
            default:
                // A newer version revoked something that this one does not know: forget everything.
                EndScope(entry, null, Sessions.Values, now, watches);
                break;
        }
    }

    // Forgotten in any case. Their watches end by an entry that is new; when one is repeated they are looked at again, because what is known
    // by then may have been created after it.
    private void EndScope(RevocationEntry entry, string? tenant, IEnumerable<KnownSession> sessions, long now, SessionWatches watches)
    {
        var isNew = Tombstones.AddScope(entry.App, tenant, entry.Position, Applied, now);
        EndAll(sessions, isNew ? watches : null);
    }

    private IEnumerable<KnownSession> OfApp(string app) => Sessions.Values.Where(session => session.Found.Name.App == app);

    private List<KnownSession> OfUser(UserName user)
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

    private void EndAll(IEnumerable<KnownSession> sessions, SessionWatches? watches)
    {
        foreach (var session in sessions.ToList())
        {
            Remove(session);
            watches?.End(session.Found.Name);
        }
    }

    private static UserName User(KnownSession session) => new(session.Found.Name.App, session.Found.Name.Tenant, session.Found.UserId);

    // Second chance: a session that was checked since the last round stays. So does the one just added, because the check that read it
    // needs it, even if that exceeds the capacity by one. A session is queued once for each time it was read.
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

        // Entries of sessions that ended long ago must not pile up in the queue.
        while (_order.Count > 2 * Math.Max(Sessions.Count, 64) && _order.TryDequeue(out var stale))
        {
            if (Sessions.TryGetValue(stale.Found.Name, out var current) && ReferenceEquals(current, stale))
            {
                _order.Enqueue(stale);
            }
        }
    }

    /// <summary>A set optimised for one element: most users have one session.</summary>
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
