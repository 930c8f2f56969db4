using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;

namespace Grid.Grains.Watches;

/// <summary>The sessions of watched users, as far as this silo knows, so that it can tell which of them ended: entries of the log name few, and expiry none.</summary>
/// <remarks>
/// It decides nothing by itself about an end that is not certain: a session that may have ended is looked at in the store. So it need not know epochs, and
/// it does not matter in which order notices, entries and what was read come. Used under the lock of <see cref="UserWatches"/>.
/// Longer than most files: everything by which an end is found out is weighed in one place.
/// </remarks>
internal sealed class WatchedSessions(WatchLimits limits, TimeProvider clock)
{
    // Longer than a notice takes over a link that is whole, and than an entry takes to every silo.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EntryWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private const int MaxRecent = 16_384;

    private readonly Dictionary<WatchedUser, Watched> _users = [];
    private readonly Dictionary<SessionName, Known> _sessions = [];
    private readonly Queue<(RevocationEntry Entry, long At)> _recent = [];
    private readonly Queue<(SessionName Name, long At)> _endedInOrder = [];
    private readonly HashSet<SessionName> _ended = [];
    private readonly Queue<Known> _toLookAt = [];
    private readonly PriorityQueue<Known, long> _later = new();
    private readonly SortedSet<Known> _byExpiry = new(Comparer<Known>.Create(static (one, other) =>
        one.ExpiresAt != other.ExpiresAt ? one.ExpiresAt.CompareTo(other.ExpiresAt) : one.Number.CompareTo(other.Number)));

    private long _numbers;

    public IEnumerable<WatchedUser> Users => _users.Keys;

    public int Count => _sessions.Count;

    public Watched? Find(WatchedUser user) => _users.GetValueOrDefault(user);

    public Watched Add(WatchedUser user)
    {
        var watched = new Watched(user);
        _users.Add(user, watched);
        return watched;
    }

    public void Remove(Watched watched)
    {
        _users.Remove(watched.User);
        foreach (var known in watched.Sessions.Values)
        {
            Forget(known);
        }
    }

    /// <summary>What a silo's grain did.</summary>
    public void Take(SessionNotice notice)
    {
        if (Find(notice.User) is not { } watched)
        {
            return;
        }

        if (notice.Session is not { } handle)
        {
            // A grain does not know what became of its write.
            watched.Miss();
            watched.IsToBeListed = true;
            return;
        }

        // Its grain's word came later than its end. Nothing comes after that.
        var name = new SessionKey(notice.User.App, handle).Name;
        if (_ended.Contains(name))
        {
            return;
        }

        // A session that is new here is looked at: an entry that ended it may have come before this notice.
        var known = Know(watched, handle, name);
        if (known is not null)
        {
            ExpiresAt(known, notice.ExpiresAt);
        }

        watched.Tell(notice);
    }

    /// <summary>What was revoked, perhaps once more.</summary>
    public void Take(RevocationEntry entry)
    {
        var now = clock.GetTimestamp();
        _recent.Enqueue((entry, now));
        while (_recent.TryPeek(out var oldest) && (_recent.Count > MaxRecent || clock.GetElapsedTime(oldest.At, now) > Late))
        {
            _recent.Dequeue();
        }

        switch (entry.Kind)
        {
            case RevocationKind.Session when entry.Session is { } name:
                if (_sessions.TryGetValue(name, out var one))
                {
                    // One that was not written to the log says only that there is no such session.
                    if (entry.Position == 0)
                    {
                        LookAt(one);
                    }
                    else
                    {
                        End(one, entry, entry.At);
                    }
                }

                break;
            case RevocationKind.User:
                if (Find(new WatchedUser(AppKey.Parse(entry.App), entry.UserId!)) is { } watched)
                {
                    Suspect(watched, entry);
                }

                break;
            case RevocationKind.SigningKey:
                break;
            default:
                // Of a tenant, of an app, or of a kind that a later version knows.
                foreach (var each in _users.Values.Where(user => user.User.App.ToString() == entry.App))
                {
                    Suspect(each, entry);
                }

                break;
        }
    }

    /// <summary>The sessions that a user had when the store was asked. Those that are not known yet are known from now on, and nothing is told of them.</summary>
    public void Take(Watched watched, IReadOnlyList<SessionHandle> handles)
    {
        watched.IsListed = true;
        foreach (var handle in handles.Count > limits.SessionsOfUser ? handles.TakeLast(limits.SessionsOfUser) : handles)
        {
            var name = new SessionKey(watched.User.App, handle).Name;
            if (!_ended.Contains(name))
            {
                Know(watched, handle, name);
            }
        }

        HashSet<SessionHandle> listed = [.. handles];
        foreach (var known in watched.Sessions.Values.Where(known => !listed.Contains(known.Handle)))
        {
            LookAt(known);
        }

        if (handles.Count > limits.SessionsOfUser)
        {
            watched.Miss();
        }
    }

    /// <summary>Sessions to be looked at in the store now.</summary>
    public List<(Known Session, int Suspicions)> NextToLookAt(int max, DateTimeOffset now)
    {
        var at = clock.GetTimestamp();
        while (_endedInOrder.TryPeek(out var ended) && clock.GetElapsedTime(ended.At, at) > Late)
        {
            _ended.Remove(_endedInOrder.Dequeue().Name);
        }

        while (_later.TryPeek(out var known, out var due) && due <= at)
        {
            _later.Dequeue();
            LookAt(known);
        }

        while (_byExpiry.Min is { } first && first.ExpiresAt <= now)
        {
            _byExpiry.Remove(first);
            LookAt(first);
        }

        List<(Known, int)> next = [];
        while (next.Count < max && _toLookAt.TryDequeue(out var known))
        {
            known.IsWaiting = false;
            if (!known.IsOver)
            {
                next.Add((known, known.Suspicions));
            }
        }

        return next;
    }

    /// <summary>What the store says of a session.</summary>
    /// <param name="session">The session.</param>
    /// <param name="suspicions">How often it was suspected before the store was asked.</param>
    /// <param name="row">Null: it is not there.</param>
    /// <param name="now">By the wall clock.</param>
    public void Looked(Known session, int suspicions, SessionRecord? row, DateTimeOffset now)
    {
        if (session.IsOver)
        {
            return;
        }

        if (row is null)
        {
            Gone(session, now);
        }
        else if (row.ExpiresAt <= now)
        {
            Expire(session, row.ExpiresAt);
        }
        else if (suspicions != session.Suspicions)
        {
            LookAt(session);
        }
        else
        {
            (session.Entry, session.WasGone) = (null, false);
            ExpiresAt(session, row.ExpiresAt);
        }
    }

    /// <summary>The store did not answer.</summary>
    public void NotLooked(Known session) => Later(session, AskAgain);

    /// <summary>Something was missed: all users have to be listed again.</summary>
    public void MissAll()
    {
        foreach (var watched in _users.Values)
        {
            watched.Miss();
            watched.IsToBeListed = true;
        }
    }

    private Known? Know(Watched watched, SessionHandle handle, SessionName name)
    {
        if (watched.Sessions.TryGetValue(handle, out var known))
        {
            return known;
        }

        if (watched.Sessions.Count >= limits.SessionsOfUser || _sessions.Count >= limits.Sessions)
        {
            // Its end cannot be told.
            watched.Miss();
            return null;
        }

        known = new Known(watched, handle, name, ++_numbers);
        watched.Sessions.Add(handle, known);
        _sessions.Add(name, known);
        LookAt(known);
        return known;
    }

    private void ExpiresAt(Known known, DateTimeOffset at)
    {
        _byExpiry.Remove(known);
        known.ExpiresAt = at;
        _byExpiry.Add(known);
    }

    private void Suspect(Watched watched, RevocationEntry entry)
    {
        foreach (var known in watched.Sessions.Values.Where(known => Concerns(entry, known)))
        {
            known.Entry = entry;
            LookAt(known);
        }
    }

    private void LookAt(Known known)
    {
        known.Suspicions++;
        if (!known.IsWaiting)
        {
            known.IsWaiting = true;
            _toLookAt.Enqueue(known);
        }
    }

    private void Later(Known known, TimeSpan after) => _later.Enqueue(known, clock.GetTimestamp() + clock.ToTicks(after));

    private void Gone(Known known, DateTimeOffset now)
    {
        // One that names it did end it; of the others the last may have.
        var recent = _recent.Select(recent => recent.Entry).Where(recent => recent.Position > 0 && Concerns(recent, known)).ToList();
        var entry = recent.Find(each => each.Kind == RevocationKind.Session) ?? known.Entry ?? recent.LastOrDefault();
        if (entry is not null || known.WasGone)
        {
            End(known, entry, now);
        }
        else if (known.ExpiresAt <= now)
        {
            // Purged meanwhile.
            Expire(known, known.ExpiresAt);
        }
        else
        {
            // Its entry is on the way.
            known.WasGone = true;
            Later(known, EntryWithin);
        }
    }

    // What a session's epoch is, and so whether an entry about its user did end it, only the store knows.
    private static bool Concerns(RevocationEntry entry, Known known) => entry.App == known.Name.App && entry.Kind switch
    {
        RevocationKind.Session => entry.Session == known.Name,
        RevocationKind.User => entry.UserId == known.Of.User.UserId && entry.Tenant == known.Name.Tenant && entry.Kept != known.Name,
        RevocationKind.Tenant => entry.Tenant == known.Name.Tenant,
        RevocationKind.SigningKey => false,
        _ => true,
    };

    private void End(Known known, RevocationEntry? entry, DateTimeOffset now) => End(known, new SessionNotice
    {
        Kind = SessionNoticeKind.Revoked,
        User = known.Of.User,
        Session = known.Handle,
        At = entry?.At ?? now,
        Reason = (RevocationReason)(entry?.Reason ?? 0),
    });

    private void Expire(Known known, DateTimeOffset at) =>
        End(known, new SessionNotice { Kind = SessionNoticeKind.Expired, User = known.Of.User, Session = known.Handle, At = at, ExpiresAt = at });

    private void End(Known known, SessionNotice notice)
    {
        known.Of.Sessions.Remove(known.Handle);
        Forget(known);
        if (_ended.Add(known.Name))
        {
            _endedInOrder.Enqueue((known.Name, clock.GetTimestamp()));
        }

        known.Of.Tell(notice);
    }

    private void Forget(Known known)
    {
        known.IsOver = true;
        _sessions.Remove(known.Name);
        _byExpiry.Remove(known);
    }

    /// <summary>A user, and who watches.</summary>
    internal sealed class Watched(WatchedUser user)
    {
        public WatchedUser User => user;

        public List<UserWatch> Watches { get; } = [];

        public Dictionary<SessionHandle, Known> Sessions { get; } = [];

        /// <summary>Whether its sessions are known.</summary>
        public bool IsListed { get; set; }

        /// <summary>Whether they have to be read once more.</summary>
        public bool IsToBeListed { get; set; }

        public void Tell(SessionNotice notice) => Watches.ForEach(watch => watch.Add(notice));

        public void Miss() => Watches.ForEach(watch => watch.Miss());
    }

    /// <summary>A session that lived when it was last heard of.</summary>
    internal sealed class Known(Watched of, SessionHandle handle, SessionName name, long number)
    {
        public Watched Of => of;

        public SessionHandle Handle => handle;

        public SessionName Name => name;

        public long Number => number;

        /// <summary>The latest that was heard; unknown before the first look.</summary>
        public DateTimeOffset ExpiresAt { get; set; } = DateTimeOffset.MaxValue;

        /// <summary>What may have ended it.</summary>
        public RevocationEntry? Entry { get; set; }

        /// <summary>How often there was a reason to look at it.</summary>
        public int Suspicions { get; set; }

        public bool IsWaiting { get; set; }

        public bool WasGone { get; set; }

        public bool IsOver { get; set; }
    }
}
