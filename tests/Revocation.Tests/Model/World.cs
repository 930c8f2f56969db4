using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Revocation.Tests.Model;

/// <summary>One session, one revocation of it, a few holders: every order of every step of the protocol, on the real classes.</summary>
/// <remarks>
/// A step is named by a small number; <see cref="Steps"/> says which can come next. Time passes in ticks of a second, L = 2 ticks.
/// One holder's clock may lose a tick. A pause, a lost answer and a slow message need no step of their own: nothing has to come next.
/// </remarks>
internal sealed class World
{
    public const int MaxEntries = 3;
    public const int Saturation = 4;

    private const string App = "public";
    private const string Neighbour = "neighbour";
    private static readonly Guid Id = new("00000000-0000-0000-0000-0000000000aa");
    private static readonly LeaseTerms Terms = new(TimeSpan.FromSeconds(2));

    private readonly Mistake _mistake;
    private readonly RevocationKind _kind;
    private readonly ManualTime _revokerClock = new();
    private readonly ModelHolder[] _holders;
    private readonly int _maxIncarnations;

    // incarnation -> counter, and the holder that it belongs to
    private readonly SortedDictionary<int, (long Counter, int Holder)> _rows = [];
    private readonly Reaper _reaper;
    private int _incarnations;
    private int _crashes;
    private int _lags;
    private int _reaps;
    private int _log;

    // Of the session: null while there is none. Of the ticket: whether it is still there. Of the user.
    private long? _session;
    private bool _permit;
    private long _epoch;
    private int _redemptions;

    // Of the tenant or the app.
    private readonly bool _isRemoval;
    private Presence _presence = Presence.Exists;
    private bool _early;
    private List<HolderRow>? _earlyRows;
    private int _revoker;
    private ConfirmationWait? _wait;
    private long _seenAt;
    private int _retries;
    private int _confirming;
    private int _pushed;
    private IReadOnlyList<HolderRow> _overdue = [];

    public World(Mistake mistake, RevocationKind kind, Budget budget)
    {
        (_mistake, _kind, _crashes, _lags, _reaps, _retries) = (mistake, kind, budget.Crashes, budget.Lags, budget.Reaps, budget.Retries);
        (_redemptions, _permit, _session, _isRemoval) = (budget.Redemptions, budget.Redemptions > 0, budget.Redemptions > 0 ? null : 0, budget.IsRemoval);
        _maxIncarnations = budget.Holders + budget.Crashes + (budget.Reaps > 0 ? 1 : 0);
        _holders = [.. Enumerable.Range(0, budget.Holders).Select(_ => new ModelHolder())];
        _reaper = new Reaper(_revokerClock);
    }

    public static FoundSession Session { get; } = new()
    {
        Name = new SessionName(App, "t", Id),
        UserId = "u",
        Epoch = 0,
        ExpiresAt = DateTimeOffset.MaxValue,
    };

    public bool IsAcknowledged { get; private set; }

    /// <summary>A request that starts now would be accepted although the revocation was acknowledged.</summary>
    public bool IsViolated => IsAcknowledged && _holders.Any(h => h.Holder.Check(Session.Name, out _) == HolderVerdict.Known);

    /// <summary>Everybody whom it concerns has been heard, and the revocation waits on.</summary>
    public bool IsHeldUp => _wait is { IsOver: false } && _revoker == 3 && _wait.Addresses.All(address => address == Neighbour);

    public RevocationEntry Entry(int index) => index == 1
        ? new RevocationEntry { Position = 2, Kind = RevocationKind.Session, App = App, Tenant = "t", Session = Session.Name with { Id = Guid.AllBitsSet } }
        : new RevocationEntry
        {
            Position = index == 0 ? 1 : 3,
            Kind = _kind,
            App = App,
            Tenant = _kind == RevocationKind.App ? null : Called("t"),
            Session = _kind == RevocationKind.Session ? Session.Name with { Tenant = Called("t") } : null,
            UserId = "u",
            Epoch = 1,
        };

    private string Called(string tenant) => _mistake == Mistake.EntryMisses ? "other" : tenant;

    public IEnumerable<int> Steps()
    {
        // Once it is acknowledged, time only makes holders less fresh.
        if (!IsAcknowledged)
        {
            yield return 0;
        }

        if (!IsAcknowledged && _lags > 0)
        {
            for (var h = 0; h < _holders.Length; h++)
            {
                yield return 1 + h;
            }
        }

        foreach (var step in RevokerSteps())
        {
            yield return step;
        }

        for (var h = 0; h < _holders.Length; h++)
        {
            foreach (var step in HolderSteps(_holders[h]))
            {
                yield return ((h + 1) * 100) + step;
            }
        }
    }

    public void Do(int step)
    {
        if (step >= 100)
        {
            DoHolder(_holders[(step / 100) - 1], (step / 100) - 1, step % 100);
        }
        else if (step <= _holders.Length)
        {
            Pass(step - 1);
        }
        else
        {
            DoRevoker(step);
        }
    }

    public string Key()
    {
        var rows = string.Join(',', _rows.Select(row => $"{RowKey(row.Key)}{row.Value.Holder}"));
        var wait = _wait is null ? "" : $"{_wait.Missing}.{_wait.IsOver}.{Math.Min(Saturation, (_revokerClock.GetTimestamp() - _seenAt) / TimeSpan.TicksPerSecond)}.{string.Join(',', _wait.Addresses.Order())}";
        var reaper = string.Join(',', _reaper.Seen().Select(s => $"{RowKey(ToInt(s.Incarnation))}{(_rows.TryGetValue(ToInt(s.Incarnation), out var row) && row.Counter == s.Counter ? 1 : 0)}{Math.Min(Saturation, (_revokerClock.GetTimestamp() - s.Since) / TimeSpan.TicksPerSecond)}").Order());
        var overdue = string.Join(',', _overdue.Select(o => $"{RowKey(ToInt(o.Incarnation))}{(_rows.TryGetValue(ToInt(o.Incarnation), out var row) && row.Counter == o.Counter ? 1 : 0)}"));
        return $"{_crashes}{_lags}{_reaps}{_maxIncarnations - _incarnations}.{_log}.{_session}.{_permit}{_epoch}{_redemptions}{_presence}{_early}{_revoker}{IsAcknowledged}{_retries}{_confirming}.{_pushed}/{_earlyRows?.Count}/{wait}/{rows}/{reaper}/{overdue}/{string.Join('/', _holders.Select(h => h.Key(this)))}";
    }

    // Names of incarnations do not matter, only whose rows are there and which is whose.
    public string RowKey(int incarnation) => incarnation == 0 ? "0" : $"{(_rows.ContainsKey(incarnation) ? "y" : "n")}{Rank(incarnation)}";

    private int Rank(int incarnation) => _rows.Keys.Count(key => key < incarnation);

    private static Guid ToGuid(int incarnation) => new(incarnation, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private static int ToInt(Guid incarnation) => BitConverter.ToInt32(incarnation.ToByteArray());

    private void Pass(int lagging)
    {
        _lags -= lagging >= 0 ? 1 : 0;
        _revokerClock.Pass(TimeSpan.FromSeconds(1));
        for (var h = 0; h < _holders.Length; h++)
        {
            if (h != lagging)
            {
                _holders[h].Clock.Pass(TimeSpan.FromSeconds(1));
            }
        }
    }

    private List<HolderRow> Rows(TimeSpan lease) =>
    [
        .. _rows.Select(row => new HolderRow
        {
            Incarnation = ToGuid(row.Key), Kind = HolderKind.Silo, Name = "", Address = row.Value.Holder.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Lease = lease, Counter = row.Value.Counter,
        }),
    ];

    // Somebody of another app is registered who never renews and never confirms.
    private IReadOnlyList<HolderRow> Serving(TimeSpan lease) => _mistake != Mistake.WaitsForOtherApps ? Rows(lease)
        : [.. Rows(lease), new HolderRow { Incarnation = ToGuid(99), Kind = HolderKind.Service, App = "other", Name = "", Address = Neighbour, Lease = lease }];

    private IEnumerable<int> RevokerSteps()
    {
        if (_mistake == Mistake.RegistryReadBeforeTheDelete && !_early)
        {
            yield return 10;
        }

        if (_revoker == 0)
        {
            yield return _isRemoval && _presence == Presence.Exists ? 41 : 11;
        }

        if (_redemptions > 0)
        {
            yield return 40;
        }

        // Between any two steps; without a removal only after the commit.
        if (_isRemoval && _retries > 0 && _presence != Presence.Exists && !IsAcknowledged)
        {
            yield return 43;
        }

        if (_mistake == Mistake.RowStruckByAStranger && _rows.Count > 0)
        {
            yield return 44;
        }

        // Another revocation, begun later, seen earlier.
        if ((_log & 2) == 0 && _mistake is Mistake.PositionGap)
        {
            yield return 12;
        }

        if (_revoker == 1)
        {
            yield return 13;
            if (_retries > 0 && !_isRemoval)
            {
                yield return 14;
            }
        }

        if (_revoker == 2)
        {
            yield return 15;
        }

        if (_revoker == 3)
        {
            yield return 15;
            for (var h = 0; h < _holders.Length; h++)
            {
                if ((_pushed & (1 << h)) == 0 && _wait!.Addresses.Contains(h.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                {
                    yield return 20 + h;
                }

                if ((_confirming >> (4 * h) & 15) != 0)
                {
                    yield return 30 + h;
                }
            }

            if (_wait!.IsOver)
            {
                yield return 16;
            }
        }

        if (_reaps > 0 && _rows.Count > 0)
        {
            yield return 17;
        }

        if (_overdue.Count > 0)
        {
            yield return 18;
        }
    }

    private void DoRevoker(int step)
    {
        var margin = _mistake == Mistake.MarginTooSmall ? new LeaseTerms(TimeSpan.FromSeconds(1.4)) : Terms;
        switch (step)
        {
            case 10:
                (_early, _earlyRows) = (true, Rows(Terms.Lease));
                break;
            case 11:
                Delete();
                _log |= (_log & 1) == 0 ? 1 : 4;
                _revoker = 1;
                break;
            case 12:
                _log |= 2;
                break;
            case 13 when _mistake == Mistake.RemovalNotConfirmed:
                (_presence, IsAcknowledged, _revoker) = (Presence.None, true, 4);
                break;
            case 13:
                _seenAt = _revokerClock.GetTimestamp();
                _wait = new ConfirmationWait(_seenAt, margin, _ => true, _revokerClock);
                _revoker = 2;
                break;
            case 14:
                // The revoker dies after the commit; somebody asks again and finds nothing to delete.
                _retries--;
                Delete();
                _log |= 4;
                IsAcknowledged = _mistake == Mistake.RetryAcknowledgedAtOnce;
                break;
            case 15:
                _wait!.TakeListing(_mistake == Mistake.RegistryReadBeforeTheDelete && _earlyRows is not null ? _earlyRows : Serving(margin.Lease));
                _earlyRows = null;
                _revoker = 3;
                break;
            case 16:
                // A removal strikes it now, last of all; if somebody dies before, it is removed once more.
                _presence = _isRemoval ? Presence.None : _presence;
                IsAcknowledged = true;
                _revoker = 4;
                break;
            case 17:
                _reaps--;
                var at = _revokerClock.GetTimestamp();
                _overdue = _reaper.Overdue(Rows(_mistake == Mistake.ReaperTooEarly ? TimeSpan.FromSeconds(0.2) : Terms.Lease), at, at);
                break;
            case 18:
                foreach (var row in _overdue)
                {
                    if (_rows.TryGetValue(ToInt(row.Incarnation), out var now) && (now.Counter == row.Counter || _mistake == Mistake.RemovalWithoutComparing))
                    {
                        _rows.Remove(ToInt(row.Incarnation));
                    }
                }

                _overdue = [];
                break;
            case 40:
                _redemptions--;
                Redeem();
                break;
            case 41:
                _presence = _mistake == Mistake.StruckBeforeItsSessionsEnd ? Presence.None : Presence.Removing;
                break;
            case 43:
                // The removal dies, and with it what it waited for. Somebody asks again.
                _retries--;
                (_revoker, _wait, _confirming, _pushed) = (0, null, 0, 0);
                IsAcknowledged = _presence == Presence.None;
                break;
            case 44:
                _rows.Remove(_rows.Keys.First());
                break;
            case >= 30:
                var bits = _confirming >> (4 * (step - 30)) & 15;
                _confirming &= ~(15 << (4 * (step - 30)));
                _wait!.TakeConfirmations((step - 30).ToString(System.Globalization.CultureInfo.InvariantCulture), [ToGuid(bits)]);
                _pushed &= ~(1 << (step - 30));
                break;
            default:
                Push(step - 20);
                break;
        }
    }

    private void Delete()
    {
        _session = null;
        _permit &= _kind != RevocationKind.Session;
        _epoch += _kind == RevocationKind.Session ? 0 : 1;
    }

    // One transaction, however late it comes.
    private void Redeem()
    {
        if (_mistake == Mistake.TicketGoodTwice)
        {
            _session ??= _kind == RevocationKind.Session && _log != 0 ? null : _epoch;
            return;
        }

        _session = _permit && (_epoch == 0 || _mistake == Mistake.TicketOutlivesRevocation) ? _epoch : _session;
        _permit = false;
    }

    private void Push(int h)
    {
        var holder = _holders[h];
        _pushed |= 1 << h;
        var incarnation = holder.Incarnation;
        if (_mistake == Mistake.ConfirmBeforeApply)
        {
            holder.Late |= 1;
        }
        else
        {
            holder.Holder.Apply([Entry(0)]);
        }

        // 15 stands for a process that is no holder at the moment.
        _confirming |= (incarnation == 0 ? 15 : incarnation) << (4 * h);
    }

    private IEnumerable<int> HolderSteps(ModelHolder h)
    {
        if (_crashes > 0 && (h.Incarnation != 0 || h.RegisterStep != 0))
        {
            yield return 1;
        }

        if (h.Incarnation == 0 && h.RegisterStep == 0 && _incarnations < _maxIncarnations)
        {
            yield return 2;
        }

        if (h.RegisterStep is 1 or 2)
        {
            yield return 2 + h.RegisterStep;
        }

        if (h.Incarnation != 0 && h.RenewStep == 0)
        {
            yield return 5;
        }

        if (h.RenewStep is 1 or 2)
        {
            yield return 5 + h.RenewStep;
        }

        if (h.Late != 0)
        {
            yield return 8;
        }

        if (h.LookStep == 0 && (_mistake == Mistake.CheckBeforeRegister || (h.Holder.IsFresh && h.Holder.Count == 0)))
        {
            yield return 9;
        }

        if (h.LookStep is 1 or 2)
        {
            yield return 9 + h.LookStep;
        }
    }

    private void DoHolder(ModelHolder h, int index, int step)
    {
        switch (step)
        {
            case 1:
                _crashes--;
                h.Crash();
                break;
            case 2:
                h.RegisterStep = 1;
                break;
            case 3:
                h.RegisterIncarnation = ++_incarnations;
                _rows[h.RegisterIncarnation] = (0, index);
                (h.RegisterCursor, h.RegisterStep) = (_log, 2);
                break;
            case 4:
                (h.Incarnation, h.Cursor, h.RegisterStep) = (h.RegisterIncarnation, h.RegisterCursor, 0);
                if (!(_mistake == Mistake.ReRegisterKeepingState && h.Holder.State is not null))
                {
                    h.Holder.Begin(ToGuid(h.Incarnation), Terms, []);
                }

                break;
            case 5:
                (h.RenewStep, h.RenewTicket, h.RenewCursor) = (1, h.Holder.StartRenewal(), h.Cursor);
                break;
            case 6:
                WriteRenewal(h, index);
                break;
            case 7:
                ReadRenewal(h);
                break;
            case 8:
                h.Holder.Apply(ModelHolder.Entries(h.Late, this));
                h.Late = 0;
                break;
            case 9:
                (h.LookStep, h.LookTicket) = (1, h.Holder.StartLook(Session.Name));
                break;
            case 10:
                var epoch = _mistake == Mistake.AnswerFromAStaleActivation ? 0 : _session;
                (h.LookStep, h.LookFound) = (2, epoch is { } alive ? Session with { Epoch = alive } : null);
                break;
            default:
                var ticket = _mistake is Mistake.NoVoidOfPendingChecks or Mistake.CheckBeforeRegister ? h.Holder.StartLook(Session.Name) : h.LookTicket;
                if (ticket is not null)
                {
                    h.Holder.CompleteLook(ticket, Session.Name, h.LookFound);
                }

                (h.LookStep, h.LookTicket) = (0, null);
                break;
        }
    }

    private void WriteRenewal(ModelHolder h, int index)
    {
        h.RenewStep = 2;
        h.RenewLost = !_rows.TryGetValue(h.Incarnation, out var row) && _mistake != Mistake.RenewalAfterBeingReaped;
        if (h.RenewLost)
        {
            return;
        }

        if (_rows.ContainsKey(h.Incarnation))
        {
            _rows[h.Incarnation] = (row.Counter + 1, index);
        }

        h.RenewEntries = _mistake == Mistake.PositionGap && h.RenewCursor > 0
            ? _log & ~((1 << (int.Log2(h.RenewCursor) + 1)) - 1)
            : _log & ~h.RenewCursor;
        h.RenewCursor |= _log;
    }

    private void ReadRenewal(ModelHolder h)
    {
        var ticket = h.RenewTicket!;
        (h.RenewStep, h.RenewTicket) = (0, null);
        if (h.RenewLost)
        {
            (h.Incarnation, h.Cursor) = (0, 0);
            if (_mistake != Mistake.ReRegisterKeepingState)
            {
                h.Holder.Forget();
            }

            return;
        }

        h.Cursor = h.RenewCursor;
        if (_mistake == Mistake.AnchorAtReply)
        {
            ticket = h.Holder.StartRenewal();
        }

        if (_mistake == Mistake.ExtendBeforeApply)
        {
            h.Late |= h.RenewEntries;
            h.RenewEntries = 0;
        }

        h.Holder.CompleteRenewal(ticket, ModelHolder.Entries(h.RenewEntries, this));
        h.RenewEntries = 0;
    }
}
