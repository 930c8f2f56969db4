using System.Diagnostics.CodeAnalysis;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Telemetry;
using Grid.Revocation.Log;

namespace Grid.Grains.Sessions;

/// <summary>The session grains that are active in this silo, so that a revocation reaches them without activating others.</summary>
/// <remarks>Calling each session's grain would activate every session of a user only to tell it that it has ended.</remarks>
internal sealed class ActiveSessionGrains
{
    private readonly Lock _lock = new();
    private readonly HashSet<SessionGrain> _active = new(SameSession.Instance);
    private readonly HashSet<SessionGrain>.AlternateLookup<SessionKey> _byKey;

    // A user is found by one of its sessions' grains, from which the others hang.
    private readonly HashSet<SessionGrain> _users = new(SameUser.Instance);
    private readonly HashSet<SessionGrain>.AlternateLookup<UserKey> _byUser;
    private readonly GridMetrics _metrics;

    public ActiveSessionGrains(GridMetrics metrics)
    {
        _metrics = metrics;
        _byKey = _active.GetAlternateLookup<SessionKey>();
        _byUser = _users.GetAlternateLookup<UserKey>();
        metrics.ActiveSessions(() => _active.Count);
    }

    public void Add(SessionGrain grain)
    {
        _metrics.Activated();
        lock (_lock)
        {
            // While the grain directory changes, another activation of it may not have left yet.
            _active.Remove(grain);
            _active.Add(grain);
        }
    }

    /// <summary>The grain has read its row, so that its user is known.</summary>
    public void IndexByUser(SessionGrain grain)
    {
        lock (_lock)
        {
            if (!_users.TryGetValue(grain, out var first))
            {
                _users.Add(grain);
                return;
            }

            (grain.PreviousOfUser, grain.NextOfUser) = (first, first.NextOfUser);
            if (first.NextOfUser is { } next)
            {
                next.PreviousOfUser = grain;
            }

            first.NextOfUser = grain;
        }
    }

    // Only this activation: while the grain directory changes, its successor may already be registered.
    public void Remove(SessionGrain grain)
    {
        lock (_lock)
        {
            if (_active.TryGetValue(grain, out var active) && active == grain)
            {
                _active.Remove(grain);
            }

            if (grain.UserId is not null)
            {
                RemoveFromUser(grain);
            }
        }
    }

    /// <summary>Lets the grains of the sessions go that log entries may have revoked.</summary>
    public void LetGo(IReadOnlyList<RevocationEntry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                foreach (var grain in Concerned(entry).ToList())
                {
                    grain.LetGo();
                }
            }
        }
    }

    private IEnumerable<SessionGrain> Concerned(RevocationEntry entry)
    {
        var app = AppKey.Parse(entry.App);
        return entry.Kind switch
        {
            RevocationKind.Session when entry.Session is { } name && _byKey.TryGetValue(SessionKey.Of(name), out var grain) => [grain],
            RevocationKind.User => OfUser(new UserKey(new TenantKey(app, entry.Tenant!), entry.UserId!)),
            RevocationKind.Tenant => _active.Where(active => active.Key.App == app && active.Key.Handle.TenantId == entry.Tenant),
            RevocationKind.App => _active.Where(active => active.Key.App == app),
            _ => [],
        };
    }
    private IEnumerable<SessionGrain> OfUser(UserKey user)
    {
        for (var grain = _byUser.TryGetValue(user, out var first) ? first : null; grain is not null; grain = grain.NextOfUser)
        {
            yield return grain;
        }
    }

    private void RemoveFromUser(SessionGrain grain)
    {
        var (previous, next) = (grain.PreviousOfUser, grain.NextOfUser);
        if (previous is not null)
        {
            previous.NextOfUser = next;
        }
        else if (_users.TryGetValue(grain, out var first) && first == grain)
        {
            _users.Remove(grain);
            if (next is not null)
            {
                _users.Add(next);
            }
        }

        if (next is not null)
        {
            next.PreviousOfUser = previous;
        }

        (grain.PreviousOfUser, grain.NextOfUser) = (null, null);
    }

    private sealed class SameSession : IEqualityComparer<SessionGrain>, IAlternateEqualityComparer<SessionKey, SessionGrain>
    {
        public static SameSession Instance { get; } = new();

        public bool Equals(SessionGrain? x, SessionGrain? y) => ReferenceEquals(x, y) || (x is not null && y is not null && x.Key == y.Key);

        public bool Equals(SessionKey alternate, SessionGrain other) => alternate == other.Key;

        public int GetHashCode([DisallowNull] SessionGrain obj) => obj.Key.GetHashCode();

        public int GetHashCode(SessionKey alternate) => alternate.GetHashCode();

        public SessionGrain Create(SessionKey alternate) => throw new NotSupportedException("Orleans makes grains.");
    }

    private sealed class SameUser : IEqualityComparer<SessionGrain>, IAlternateEqualityComparer<UserKey, SessionGrain>
    {
        public static SameUser Instance { get; } = new();

        public bool Equals(SessionGrain? x, SessionGrain? y) => ReferenceEquals(x, y) || (x is not null && y is not null && UserOf(x) == UserOf(y));

        public bool Equals(UserKey alternate, SessionGrain other) => alternate == UserOf(other);

        public int GetHashCode([DisallowNull] SessionGrain obj) => UserOf(obj).GetHashCode();

        public int GetHashCode(UserKey alternate) => alternate.GetHashCode();

        public SessionGrain Create(UserKey alternate) => throw new NotSupportedException("Orleans makes grains.");

        private static UserKey UserOf(SessionGrain grain) => new(new TenantKey(grain.Key.App, grain.Key.Handle.TenantId), grain.UserId!);
    }
}
