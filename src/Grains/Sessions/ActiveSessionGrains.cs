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
    private readonly Dictionary<SessionKey, SessionGrain> _active = [];
    private readonly Dictionary<UserKey, HashSet<SessionGrain>> _ofUser = [];
    private readonly GridMetrics _metrics;

    public ActiveSessionGrains(GridMetrics metrics)
    {
        _metrics = metrics;
        metrics.ActiveSessions(() => _active.Count);
    }

    public void Add(SessionKey key, SessionGrain grain)
    {
        _metrics.Activated();
        lock (_lock)
        {
            _active[key] = grain;
        }
    }

    /// <summary>The grain has read its row, so that its user is known.</summary>
    public void IndexByUser(UserKey user, SessionGrain grain)
    {
        lock (_lock)
        {
            if (!_ofUser.TryGetValue(user, out var grains))
            {
                _ofUser.Add(user, grains = []);
            }

            grains.Add(grain);
        }
    }

    // Only this activation: while the grain directory changes, its successor may already be registered.
    public void Remove(SessionKey key, UserKey? user, SessionGrain grain)
    {
        lock (_lock)
        {
            if (_active.TryGetValue(key, out var active) && active == grain)
            {
                _active.Remove(key);
            }

            if (user is { } owner && _ofUser.TryGetValue(owner, out var grains) && grains.Remove(grain) && grains.Count == 0)
            {
                _ofUser.Remove(owner);
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
            RevocationKind.Session when entry.Session is { } name && _active.TryGetValue(SessionKey.Of(name), out var grain) => [grain],
            RevocationKind.User when _ofUser.TryGetValue(new UserKey(new TenantKey(app, entry.Tenant!), entry.UserId!), out var grains) => grains,
            RevocationKind.Tenant => _active.Where(active => active.Key.App == app && active.Key.Handle.TenantId == entry.Tenant).Select(active => active.Value),
            RevocationKind.App => _active.Where(active => active.Key.App == app).Select(active => active.Value),
            _ => [],
        };
    }
}
