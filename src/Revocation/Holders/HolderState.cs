using Grid.Revocation.Log;

namespace Grid.Revocation.Holders;

/// <summary>What one incarnation of a holder knows. The next one starts empty, and tickets of this one become void.</summary>
/// <param name="incarnation">Its id.</param>
/// <param name="freshness">Its lease.</param>
/// <param name="wait">W in ticks of the holder's clock: how long an entry overrules the result of a look.</param>
/// <param name="capacity">Sessions to vouch for at most.</param>
internal sealed class HolderState(Guid incarnation, Freshness freshness, long wait, int capacity)
{
    private readonly KnownUsers _users = new();
    private readonly Dictionary<(string App, string Tenant), SessionScope> _scopes = [];

    public Guid Incarnation { get; } = incarnation;

    public Freshness Freshness { get; } = freshness;

    /// <summary>W, in ticks of the holder's clock.</summary>
    public long Wait { get; } = wait;

    public SessionTable Sessions { get; } = new();

    public Dictionary<SessionName, LookTicket> Looks { get; } = [];

    public Tombstones Tombstones { get; } = new(wait);

    /// <summary>Entries applied so far.</summary>
    public long Applied { get; private set; }

    /// <summary>Vouches for a session from now on, and for one that was not checked lately no longer if there are too many.</summary>
    /// <param name="found">As the store said.</param>
    /// <param name="readAt">When it was asked; <see cref="long.MinValue"/> if the session has changed since.</param>
    /// <param name="isPinned">What must stay.</param>
    public void Add(FoundSession found, long readAt, Predicate<SessionName> isPinned)
    {
        var (app, tenant, _) = found.Name;
        if (!_scopes.TryGetValue((app, tenant), out var scope))
        {
            _scopes.Add((app, tenant), scope = new SessionScope(app, tenant));
        }

        scope.Sessions++;
        var session = new KnownSession(found, scope.Share(found.Name), _users.SharedId(new UserName(app, tenant, found.UserId)) ?? found.UserId, readAt);
        if (Sessions.Set(session) is { } former)
        {
            Unlink(former);
        }

        _users.Add(session);
        Evict(session, isPinned);
    }

    public void Remove(KnownSession session)
    {
        session.End();
        if (Sessions.Remove(session))
        {
            Unlink(session);
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
                EndAll(_users.Of(user).Where(session => session.Epoch < entry.Epoch && session.Name != entry.Kept), watches);
                Tombstones.AddUser(user, entry.Epoch, now);
                break;
            case RevocationKind.Tenant:
                EndScope(entry, entry.Tenant, OfApp(entry.App).Where(session => session.Name.Tenant == entry.Tenant), now, watches);
                break;
            case RevocationKind.App:
                EndScope(entry, null, OfApp(entry.App), now, watches);
                break;
            case RevocationKind.SigningKey:
                // Ends no session: see RevokedKeys.
                break;
            default:
                // A newer version revoked something that this one does not know: forget everything.
                EndScope(entry, null, Sessions.All, now, watches);
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

    private IEnumerable<KnownSession> OfApp(string app) => Sessions.All.Where(session => session.Name.App == app);

    private void EndAll(IEnumerable<KnownSession> sessions, SessionWatches? watches)
    {
        foreach (var session in sessions.ToList())
        {
            Remove(session);
            watches?.End(session.Name);
        }
    }

    private void Unlink(KnownSession session)
    {
        _users.Remove(session);
        var (app, tenant, _) = session.Name;
        if (--_scopes[(app, tenant)].Sessions == 0)
        {
            _scopes.Remove((app, tenant));
        }
    }

    // Second chance: a session that was checked since the last round stays. So does the one just added, because the check that read it
    // needs it, even if that exceeds the capacity by one.
    private void Evict(KnownSession added, Predicate<SessionName> isPinned)
    {
        for (var tries = Sessions.Count; Sessions.Count > capacity && tries > 0 && Sessions.Oldest is { } oldest; tries--)
        {
            if (oldest.Used || ReferenceEquals(oldest, added) || isPinned(oldest.Name))
            {
                oldest.Used = false;
                Sessions.Spare(oldest);
            }
            else
            {
                Remove(oldest);
            }
        }
    }
}
