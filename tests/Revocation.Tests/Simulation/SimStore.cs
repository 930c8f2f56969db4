using System.Globalization;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>What is committed. Each method is one instant; what takes longer in a database is spread over several by <see cref="StoreClient"/>.</summary>
internal sealed class SimStore(Mistake mistake)
{
    private readonly Dictionary<Guid, Row> _rows = [];
    private readonly Dictionary<Guid, FoundSession> _sessions = [];
    private readonly HashSet<Guid> _revoked = [];
    private readonly Dictionary<(string App, string Tenant, string UserId), long> _epochs = [];

    // In the order in which they became visible: a cursor counts them, as a snapshot would.
    private readonly List<RevocationEntry> _log = [];
    private long _positions;

    /// <summary>Requests fail, or nobody answers.</summary>
    public bool IsDown { get; set; }

    public bool IsSilent { get; set; }

    /// <summary>How often it went down: what was under way then may be rolled back.</summary>
    public int Outages { get; set; }

    public string Head => _log.Count.ToString(CultureInfo.InvariantCulture);

    public bool Lives(Guid session) => _sessions.ContainsKey(session);

    public IReadOnlyList<HolderRow> List() => [.. _rows.Values.Select(row => row.Holder)];

    public void Register(HolderRow row) => _rows.Add(row.Incarnation, new Row { Holder = row with { Counter = 0 } });

    /// <summary>Counts up, but nobody sees it before <see cref="EndRenewal"/>; until then nobody else can change the rows.</summary>
    public RenewedHolder BeginRenewal(HolderRenewal renewal)
    {
        List<Guid> lost = [];
        foreach (var incarnation in (Guid[])[renewal.Incarnation, .. renewal.Others])
        {
            if (_rows.TryGetValue(incarnation, out var row))
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
            ? _log.Where(entry => entry.Position > _log.Take(seen).Select(old => old.Position).DefaultIfEmpty().Max()).ToList()
            : _log.Skip(seen).ToList();
        return new RenewedHolder(Head, entries, lost);
    }

    public void EndRenewal(HolderRenewal renewal, bool commit)
    {
        foreach (var incarnation in (Guid[])[renewal.Incarnation, .. renewal.Others])
        {
            if (_rows.TryGetValue(incarnation, out var row) && row.Locks > 0)
            {
                row.Locks--;
                row.Holder = commit ? row.Holder with { Counter = row.Holder.Counter + 1 } : row.Holder;
            }
        }
    }

    public bool IsLocked(Guid incarnation) => _rows.TryGetValue(incarnation, out var row) && row.Locks > 0;

    public void Leave(Guid incarnation) => _rows.Remove(incarnation);

    public bool Remove(Guid incarnation, long counter) =>
        _rows.TryGetValue(incarnation, out var row) && row.Holder.Counter == counter && _rows.Remove(incarnation);

    public FoundSession? Look(SessionName name) => _sessions.TryGetValue(name.Id, out var found) && found.Name == name ? found : null;

    /// <returns>False if it was revoked before it was made.</returns>
    public bool Create(SessionName name, string user)
    {
        if (_revoked.Contains(name.Id))
        {
            return false;
        }

        ref var epoch = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_epochs, (name.App, name.Tenant, user), out _);
        _sessions.Add(name.Id, new FoundSession { Name = name, UserId = user, Epoch = epoch, ExpiresAt = DateTimeOffset.MaxValue });
        return true;
    }

    /// <summary>Positions are given out when a transaction begins, not when it commits.</summary>
    public long TakePosition() => ++_positions;

    public IReadOnlyList<RevocationEntry> Revoke(Scope scope, long position)
    {
        var entries = scope.Session is { } session ? RevokeSession(session, position)
            : scope.UserId is not null ? RevokeUser(scope, position)
            : RevokeScope(scope, position);
        _log.AddRange(entries);
        return entries;
    }

    private List<RevocationEntry> RevokeSession(SessionName name, long position)
    {
        _sessions.Remove(name.Id);
        _revoked.Add(name.Id);
        return [new RevocationEntry { Position = position, Kind = RevocationKind.Session, App = name.App, Tenant = name.Tenant, Session = name }];
    }

    private List<RevocationEntry> RevokeUser(Scope scope, long position)
    {
        if (scope.Tenant is not null)
        {
            _epochs.TryAdd((scope.App, scope.Tenant, scope.UserId!), 0);
        }

        List<RevocationEntry> entries = [];
        foreach (var user in _epochs.Keys.Where(user => user.App == scope.App && user.UserId == scope.UserId && (scope.Tenant ?? user.Tenant) == user.Tenant).ToList())
        {
            var epoch = ++_epochs[user];
            if (scope.Kept is { } kept && _sessions.TryGetValue(kept.Id, out var survivor) && survivor.UserId == user.UserId && survivor.Name.Tenant == user.Tenant)
            {
                _sessions[kept.Id] = survivor with { Epoch = epoch };
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
                Kept = scope.Kept is { } keptName && keptName.Tenant == user.Tenant ? keptName : null,
            });
        }

        return entries;
    }

    private List<RevocationEntry> RevokeScope(Scope scope, long position)
    {
        foreach (var user in _epochs.Keys.Where(user => user.App == scope.App && (scope.Tenant ?? user.Tenant) == user.Tenant).ToList())
        {
            _epochs[user]++;
        }

        Delete(found => found.Name.App == scope.App && (scope.Tenant ?? found.Name.Tenant) == found.Name.Tenant);
        var kind = scope.Tenant is null ? RevocationKind.App : RevocationKind.Tenant;
        return [new RevocationEntry { Position = position, Kind = kind, App = scope.App, Tenant = scope.Tenant }];
    }

    private void Delete(Func<FoundSession, bool> which)
    {
        foreach (var found in _sessions.Values.Where(which).ToList())
        {
            _sessions.Remove(found.Name.Id);
        }
    }

    private sealed class Row
    {
        public required HolderRow Holder { get; set; }

        public int Locks { get; set; }
    }
}
