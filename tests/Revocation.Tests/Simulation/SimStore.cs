using System.Globalization;
using System.Runtime.InteropServices;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>What is committed. Each method is one instant; what takes longer in a database is spread over several by <see cref="StoreClient"/>.</summary>
internal sealed class SimStore(Mistake mistake)
{
    private SimData _data = new();
    private SimData? _backup;
    private SimData? _former;
    private long _positions;

    /// <summary>Requests fail, or nobody answers.</summary>
    public bool IsDown { get; private set; }

    public bool IsSilent { get; set; }

    /// <summary>How often it went down: what was under way then may be rolled back.</summary>
    public int Outages { get; private set; }

    public string Head => _data.Log.Count.ToString(CultureInfo.InvariantCulture);

    public bool Lives(SessionName session) => _data.Sessions.ContainsKey(session);

    /// <summary>Somebody copies the database beside the running store.</summary>
    public void BackUp() => _backup ??= mistake == Mistake.StoreForgets ? _data.Copy() : null;

    public void GoDown()
    {
        (IsDown, Outages) = (true, Outages + 1);
        _former = mistake == Mistake.FormerServerIsAsked ? _data.Copy() : null;
    }

    /// <summary>It forgets nothing, and fails over to nothing that has not heard all.</summary>
    public void ComeUp()
    {
        IsDown = false;
        _data = _backup ?? _data;
        _backup = null;
    }

    /// <param name="cluster">Of who asks.</param>
    /// <param name="app">Whose sessions they may accept; null: any.</param>
    public IReadOnlyList<HolderRow> List(int cluster, string? app) =>
    [
        .. _data.Rows.Values.Where(row => mistake != Mistake.ClustersShareAStore || row.Cluster == cluster).Select(row => row.Holder)
            .Where(row => app is null || row.App is null || row.App == app || mistake == Mistake.WaitsForOtherApps),
    ];

    public void Register(HolderRow row, int cluster) => _data.Rows.Add(row.Incarnation, new SimRow { Holder = row with { Counter = 0 }, Cluster = cluster });

    /// <summary>Services choose their ids: one that is taken is refused, and so are more of an app than may be.</summary>
    public RegistrationRefusal? RegisterService(ServiceRegistration registration, int cluster)
    {
        var row = registration.Row;
        if (mistake == Mistake.IncarnationTakenOver)
        {
            _data.Rows.Remove(row.Incarnation);
        }

        if (_data.Rows.ContainsKey(row.Incarnation))
        {
            return RegistrationRefusal.Taken;
        }

        var leaves = registration.Former is { } former && IsOwn(former) ? former.Incarnation : (Guid?)null;
        if (_data.Rows.Values.Count(other => other.Holder.App == row.App && other.Holder.Incarnation != leaves) >= registration.MaxOfApp)
        {
            return RegistrationRefusal.TooManyOfApp;
        }

        if (leaves is { } left)
        {
            _data.Rows.Remove(left);
        }

        _data.Rows.Add(row.Incarnation, new SimRow { Holder = row with { Counter = 0 }, Cluster = cluster, SecretHash = registration.SecretHash });
        return null;
    }

    public bool LeaveService(OwnRow own) => IsOwn(own) && _data.Rows.Remove(own.Incarnation);

    /// <summary>Counts up, but nobody sees it before <see cref="EndRenewal"/>; until then nobody else can change the rows.</summary>
    public RenewedHolder BeginRenewal(HolderRenewal renewal)
    {
        List<Guid> lost = [];
        foreach (var (incarnation, row) in Renewed(renewal))
        {
            if (row is not null)
            {
                row.Locks++;
            }
            else if (mistake != Mistake.RenewalOfALostRow)
            {
                lost.Add(incarnation);
            }
        }

        var seen = int.Parse(renewal.Cursor, CultureInfo.InvariantCulture);
        var entries = mistake == Mistake.PositionGap
            ? Entries(0).Where(entry => entry.Position > Entries(0).Take(seen).Select(old => old.Position).DefaultIfEmpty().Max())
            : Entries(seen);
        return new RenewedHolder(Head, [.. entries], lost);
    }

    public void EndRenewal(HolderRenewal renewal, bool commit)
    {
        foreach (var (_, row) in Renewed(renewal))
        {
            if (row is { Locks: > 0 })
            {
                row.Locks--;
                row.Holder = commit ? row.Holder with { Counter = row.Holder.Counter + 1 } : row.Holder;
            }
        }
    }

    public bool IsLocked(Guid incarnation) => _data.Rows.TryGetValue(incarnation, out var row) && row.Locks > 0;

    public void Leave(Guid incarnation) => _data.Rows.Remove(incarnation);

    public bool Remove(Guid incarnation, long counter) =>
        _data.Rows.TryGetValue(incarnation, out var row) && row.Holder.Counter == counter && _data.Rows.Remove(incarnation);

    /// <param name="name">Which session.</param>
    /// <param name="now">By the clock of who asks.</param>
    /// <param name="former">Over a connection to the server that answered before the last outage, if there is one.</param>
    public FoundSession? Look(SessionName name, DateTimeOffset now, bool former) =>
        ((former ? _former : null) ?? _data).Sessions.TryGetValue(name, out var found) && found.ExpiresAt > now ? found : null;

    public bool Create(SessionName name, string user, DateTimeOffset expiresAt) =>
        EntryOf(name) is null && !_data.Sessions.ContainsKey(name) && Insert(name, user, Epoch(name, user), expiresAt);

    /// <summary>Promises a session.</summary>
    public void Order(SessionName name, string user, DateTimeOffset until) => _data.Permits.Add(name, new Permit(user, Epoch(name, user), until));

    /// <summary>Makes the promised session, once, unless the user was revoked since it was promised.</summary>
    public bool Redeem(SessionName name, DateTimeOffset now, DateTimeOffset expiresAt)
    {
        if (!_data.Permits.TryGetValue(name, out var permit) || permit.ExpiresAt <= now)
        {
            return false;
        }

        if (mistake == Mistake.TicketGoodTwice)
        {
            // What was redeemed is known by its row, or by the entry that ended just that session.
            return !_data.Sessions.ContainsKey(name) && EntryOf(name) is null && Insert(name, permit.UserId, Epoch(name, permit.UserId), expiresAt);
        }

        _data.Permits.Remove(name);
        return (permit.Epoch == Epoch(name, permit.UserId) || mistake == Mistake.TicketOutlivesRevocation)
            && Insert(name, permit.UserId, Epoch(name, permit.UserId), expiresAt);
    }

    /// <summary>Writes a session's row once more.</summary>
    /// <returns>How often it was written; 0 if there is none.</returns>
    public long WriteRow(SessionName name)
    {
        if (!_data.Sessions.TryGetValue(name, out var found))
        {
            return 0;
        }

        var version = (found.Details as long? ?? 0) + 1;
        _data.Sessions[name] = found with { Details = version };
        return version;
    }

    public void PurgeExpired(DateTimeOffset now)
    {
        Delete(found => found.ExpiresAt <= now);
        foreach (var (name, _) in _data.Permits.Where(permit => permit.Value.ExpiresAt <= now).ToList())
        {
            _data.Permits.Remove(name);
        }
    }

    public void PurgeLog(DateTimeOffset before)
    {
        for (var i = 0; i < _data.Log.Count; i++)
        {
            _data.Log[i] = _data.Log[i]?.At < before ? null : _data.Log[i];
        }
    }

    /// <summary>Positions are given out when a transaction begins, not when it commits.</summary>
    public long TakePosition() => ++_positions;

    /// <param name="scope">What shall be over.</param>
    /// <param name="position">Of the first entry.</param>
    /// <param name="at">By the clock of who revokes.</param>
    /// <param name="saw">Whether the one session was there when the transaction began.</param>
    public IReadOnlyList<RevocationEntry> Revoke(Scope scope, long position, DateTimeOffset at, bool saw)
    {
        var entries = scope.Session is { } session ? RevokeSession(session, position, saw)
            : scope.UserId is not null ? RevokeUser(scope, position)
            : RevokeScope(scope, position);
        _data.Log.AddRange(entries.Where(entry => entry.Position >= position).Select(entry => ((RevocationEntry, DateTimeOffset)?)(entry, at)));
        return entries;
    }

    public (Presence Presence, int Life) Scope(string app, string? tenant) =>
        _data.Scopes.TryGetValue((app, tenant), out var scope) ? scope : (Presence.Exists, 0);

    public void Set(string app, string? tenant, Presence presence, int life) => _data.Scopes[(app, tenant)] = (presence, life);

    // Its app, and a secret that only it was handed.
    private bool IsOwn(OwnRow own) => mistake == Mistake.RowStruckByAStranger ? _data.Rows.ContainsKey(own.Incarnation) : Find(own) is not null;

    private SimRow? Find(OwnRow own) => _data.Rows.TryGetValue(own.Incarnation, out var row)
        && (mistake == Mistake.StrangersRowRenewed || (row.Holder.App == own.App && row.SecretHash?.SequenceEqual(own.SecretHash) == true)) ? row : null;

    private SimRow? FindSilo(Guid incarnation) =>
        _data.Rows.TryGetValue(incarnation, out var row) && (mistake == Mistake.StrangersRowRenewed || row.Holder.App is null) ? row : null;

    private IEnumerable<(Guid Incarnation, SimRow? Row)> Renewed(HolderRenewal renewal)
    {
        IEnumerable<(Guid, SimRow?)> own = renewal.Incarnation is { } silo ? [(silo, FindSilo(silo))] : [];
        return own.Concat(renewal.Others.Select(other => (other.Incarnation, Find(other))));
    }

    private IEnumerable<RevocationEntry> Entries(int from) => _data.Log.Skip(from).Where(logged => logged is not null).Select(logged => logged!.Value.Entry);

    private RevocationEntry? EntryOf(SessionName name) => Entries(0).LastOrDefault(entry => entry.Session == name);

    private ref long Epoch(SessionName name, string user) => ref CollectionsMarshal.GetValueRefOrAddDefault(_data.Epochs, (name.App, name.Tenant, user), out _);

    private bool Insert(SessionName name, string user, long epoch, DateTimeOffset expiresAt)
    {
        _data.Sessions.Add(name, new FoundSession { Name = name, UserId = user, Epoch = epoch, ExpiresAt = expiresAt });
        return true;
    }

    // Only what was there is logged. One that was not there may be the repetition of a revocation, or have ended with its user a moment
    // ago: what is not written is told to the holders all the same.
    private List<RevocationEntry> RevokeSession(SessionName name, long position, bool saw)
    {
        var entry = new RevocationEntry { Position = position, Kind = RevocationKind.Session, App = name.App, Tenant = name.Tenant, Session = name };
        _data.Permits.Remove(name);
        if ((saw || mistake != Mistake.SessionDeletedBeforeItsTicket) && _data.Sessions.Remove(name))
        {
            return [entry];
        }

        var neighbour = _data.Sessions.Keys.FirstOrDefault(other => other.Id == name.Id);
        switch (mistake)
        {
            // To those who know sessions by their ids this is the neighbour's.
            case Mistake.EntryForANeighboursSession when neighbour.App is not null:
                return [entry with { App = neighbour.App, Tenant = neighbour.Tenant, Session = neighbour }];
            case Mistake.SessionDeletedByIdAlone when _data.Sessions.Remove(neighbour):
                return [entry];
            default:
                return [EntryOf(name) ?? entry with { Position = 0 }];
        }
    }

    private List<RevocationEntry> RevokeUser(Scope scope, long position)
    {
        if (scope.Tenant is not null)
        {
            _data.Epochs.TryAdd((scope.App, scope.Tenant, scope.UserId!), 0);
        }

        List<RevocationEntry> entries = [];
        foreach (var user in _data.Epochs.Keys.Where(user => user.App == scope.App && user.UserId == scope.UserId && (scope.Tenant ?? user.Tenant) == user.Tenant).ToList())
        {
            var epoch = ++_data.Epochs[user];
            var kept = scope.Kept is { } spared && spared.Tenant == user.Tenant && spared.App == user.App ? spared : (SessionName?)null;
            if (kept is { } name)
            {
                Keep(name, user.UserId, epoch);
            }

            Delete(found => found.Name.App == user.App && found.Name.Tenant == user.Tenant && found.UserId == user.UserId && found.Epoch < epoch);
            entries.Add(new RevocationEntry
            {
                Position = entries.Count == 0 ? position : TakePosition(),
                Kind = RevocationKind.User,
                App = user.App,
                Tenant = user.Tenant,
                UserId = user.UserId,
                Epoch = epoch,
                Kept = kept,
            });
        }

        return entries;
    }

    // One that is promised stays as good as it was.
    private void Keep(SessionName name, string user, long epoch)
    {
        if (_data.Sessions.TryGetValue(name, out var survivor) && survivor.UserId == user)
        {
            _data.Sessions[name] = survivor with { Epoch = epoch };
        }

        if (_data.Permits.TryGetValue(name, out var permit) && permit.UserId == user)
        {
            _data.Permits[name] = permit with { Epoch = permit.Epoch + 1 };
        }
    }

    private List<RevocationEntry> RevokeScope(Scope scope, long position)
    {
        foreach (var user in _data.Epochs.Keys.Where(user => user.App == scope.App && (scope.Tenant ?? user.Tenant) == user.Tenant).ToList())
        {
            _data.Epochs[user]++;
        }

        Delete(found => found.Name.App == scope.App && (scope.Tenant ?? found.Name.Tenant) == found.Name.Tenant);
        var kind = scope.Tenant is null ? RevocationKind.App : RevocationKind.Tenant;
        return [new RevocationEntry { Position = position, Kind = kind, App = scope.App, Tenant = scope.Tenant }];
    }

    private void Delete(Func<FoundSession, bool> which)
    {
        foreach (var found in _data.Sessions.Values.Where(which).ToList())
        {
            _data.Sessions.Remove(found.Name);
        }
    }
}
