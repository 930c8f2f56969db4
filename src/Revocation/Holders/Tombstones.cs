namespace Grid.Revocation.Holders;

/// <summary>Tombstones for the last W, so that an earlier or lagging read cannot resurrect a session (h3, h4).</summary>
internal sealed class Tombstones(long keep)
{
    private readonly Dictionary<SessionName, long> _sessions = [];
    private readonly Dictionary<UserName, (long Epoch, long Until)> _users = [];
    private readonly Dictionary<(string App, string? Tenant), (long Position, long Applied, long Until)> _scopes = [];
    private readonly Queue<(long Until, Action Forget)> _order = new();

    public void AddSession(SessionName session, long now)
    {
        _sessions[session] = now + keep;
        _order.Enqueue((now + keep, () => Forget(_sessions, session, until => until, now + keep)));
    }

    public void AddUser(UserName user, long epoch, long now)
    {
        var known = _users.GetValueOrDefault(user).Epoch;
        _users[user] = (Math.Max(known, epoch), now + keep);
        _order.Enqueue((now + keep, () => Forget(_users, user, gone => gone.Until, now + keep)));
    }

    /// <summary>A tenant, or (null) a whole app. Sessions created later are not concerned, so only looks that were already under way become void.</summary>
    /// <returns>False if it was added before: the log is read after the entries were pushed, and sessions may have been created in between.</returns>
    public bool AddScope(string app, string? tenant, long position, long applied, long now)
    {
        var known = _scopes.GetValueOrDefault((app, tenant)).Position;
        _scopes[(app, tenant)] = (Math.Max(known, position), applied, now + keep);
        _order.Enqueue((now + keep, () => Forget(_scopes, (app, tenant), gone => gone.Until, now + keep)));
        return position == 0 || position > known;
    }

    /// <summary>Whether to reject a session that was read by a look which began after <paramref name="applied"/> entries.</summary>
    public bool Covers(FoundSession found, long applied)
    {
        var name = found.Name;
        return _sessions.ContainsKey(name)
            || (_users.TryGetValue(new UserName(name.App, name.Tenant, found.UserId), out var user) && found.Epoch < user.Epoch)
            || (_scopes.TryGetValue((name.App, name.Tenant), out var tenant) && tenant.Applied > applied)
            || (_scopes.TryGetValue((name.App, null), out var app) && app.Applied > applied);
    }

    public void Purge(long now)
    {
        while (_order.TryPeek(out var oldest) && oldest.Until <= now)
        {
            _order.Dequeue().Forget();
        }
    }

    // A later entry for the same name is queued separately.
    private static void Forget<TKey, TGone>(Dictionary<TKey, TGone> gone, TKey key, Func<TGone, long> until, long expected)
        where TKey : notnull
    {
        if (gone.TryGetValue(key, out var kept) && until(kept) <= expected)
        {
            gone.Remove(key);
        }
    }
}
