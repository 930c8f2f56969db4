using System.Text.Json.Nodes;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Relay.Wire;

namespace Grid.Revocation.Tests.Vectors;

/// <summary>Does something to a <see cref="Holder"/>, step by step, and writes down what was done and what came of it (<c>docs/protocol/holder.md</c>).</summary>
/// <param name="name">Of the schedule.</param>
/// <param name="sessions">Those that verdicts are given for.</param>
/// <param name="capacity">The holder's. A small one is about what is forgotten, on which a check decides: then only what the schedule says is checked.</param>
internal sealed class VectorRecorder(string name, IReadOnlyList<SessionName> sessions, int capacity = VectorRecorder.Roomy)
{
    public const string App = "public";

    private const int Roomy = 1_000;
    private const long Never = 1_000_000_000_000;

    private static readonly DateTimeOffset Start = new ManualTime().GetUtcNow();

    private readonly ManualTime _clock = new();
    private readonly JsonArray _steps = [];
    private readonly List<RenewalTicket> _renewals = [];
    private readonly List<(LookTicket? Ticket, SessionName Session)> _looks = [];
    private readonly List<SessionWatch> _watches = [];
    private readonly SortedSet<string> _kids = new(StringComparer.Ordinal);
    private JsonObject _before = new() { ["fresh"] = false, ["count"] = 0, ["ended"] = new JsonArray(), ["unseen"] = new JsonArray(), ["keys"] = new JsonArray(), ["suspected"] = 0 };
    private Holder? _holder;
    private int _incarnations;
    private int _suspected;

    private Holder Holder
    {
        get
        {
            if (_holder is null)
            {
                _holder = new Holder(_clock, capacity);
                _holder.Suspected += () => _suspected++;
            }

            return _holder;
        }
    }

    public bool IsRegistered => Holder.Incarnation is not null;

    public int Renewals => _renewals.Count;

    public int Looks => _looks.Count;

    public int Watches => _watches.Count;

    /// <summary>The session that a look is for.</summary>
    public SessionName LookedFor(int look) => _looks[look].Session;

    /// <summary>Whether a look was begun, and not refused.</summary>
    public bool IsLooking(int look) => _looks[look].Ticket is not null;

    public VectorRecorder Pass(int monotonic, int? wall = null)
    {
        _clock.Pass(TimeSpan.FromMilliseconds(monotonic));
        _clock.MoveWall(TimeSpan.FromMilliseconds((wall ?? monotonic) - monotonic));
        return Done(new JsonObject { ["do"] = "pass", ["m"] = monotonic, ["w"] = wall ?? monotonic });
    }

    public VectorRecorder Begin(int leaseMs = 10_000, params string[] revokedKeys)
    {
        Holder.Begin(Sample.Id(1_000 + ++_incarnations), new LeaseTerms(TimeSpan.FromMilliseconds(leaseMs)), revokedKeys.Select(kid => (App, kid)));
        _kids.UnionWith(revokedKeys);
        return Done(new JsonObject { ["do"] = "begin", ["leaseMs"] = leaseMs, ["app"] = App, ["revokedKeys"] = Texts(revokedKeys) });
    }

    public VectorRecorder Forget()
    {
        Holder.Forget();
        return Done(new JsonObject { ["do"] = "forget" });
    }

    public VectorRecorder StartRenewal()
    {
        _renewals.Add(Holder.StartRenewal());
        return Done(new JsonObject { ["do"] = "startRenewal", ["ticket"] = _renewals.Count - 1 });
    }

    public VectorRecorder CompleteRenewal(int ticket, params RevocationEntry[] entries)
    {
        var applied = Holder.CompleteRenewal(_renewals[ticket], entries);
        return Done(new JsonObject { ["do"] = "completeRenewal", ["ticket"] = ticket, ["entries"] = Entries(entries), ["applied"] = applied });
    }

    public VectorRecorder Renew(params RevocationEntry[] entries) => StartRenewal().CompleteRenewal(_renewals.Count - 1, entries);

    public VectorRecorder Apply(params RevocationEntry[] entries)
    {
        Holder.Apply(entries);
        return Done(new JsonObject { ["do"] = "apply", ["entries"] = Entries(entries) });
    }

    public VectorRecorder StartLook(SessionName session)
    {
        var ticket = Holder.StartLook(session);
        _looks.Add((ticket, session));
        return Done(new JsonObject { ["do"] = "startLook", ["ticket"] = _looks.Count - 1, ["session"] = Handle(session), ["started"] = ticket is not null });
    }

    /// <summary>The store's answer to a look.</summary>
    /// <param name="look">Number of the look.</param>
    /// <param name="user">Whose session it is; null: there is none.</param>
    /// <param name="epoch">The session's.</param>
    /// <param name="expiresAt">Wall time.</param>
    public VectorRecorder CompleteLook(int look, string? user, long epoch = 0, long expiresAt = Never)
    {
        var (ticket, session) = _looks[look];
        var found = user is null ? null : Sample.Found(session, user, epoch, Start + TimeSpan.FromMilliseconds(expiresAt));
        var outcome = Holder.CompleteLook(ticket!, session, found);
        var step = new JsonObject { ["do"] = "completeLook", ["ticket"] = look };
        if (user is not null)
        {
            step["found"] = new JsonObject { ["userId"] = user, ["epoch"] = epoch, ["expiresAt"] = expiresAt };
        }

        step["outcome"] = outcome switch
        {
            LookOutcome.Known => "known",
            LookOutcome.NotThere => "notThere",
            LookOutcome.Void => "void",
            _ => throw new InvalidOperationException(outcome.ToString()),
        };
        return Done(step);
    }

    /// <summary>A session is seen in the store.</summary>
    public VectorRecorder See(SessionName session, string user = "anna", long epoch = 0, long expiresAt = Never) => StartLook(session).CompleteLook(_looks.Count - 1, user, epoch, expiresAt);

    public VectorRecorder Check(SessionName session)
    {
        var verdict = Letter(session);
        return Done(new JsonObject { ["do"] = "check", ["session"] = Handle(session), ["verdict"] = verdict.ToString() });
    }

    public VectorRecorder Watch(SessionName session)
    {
        _watches.Add(Holder.Watch(session));
        return Done(new JsonObject { ["do"] = "watch", ["watch"] = _watches.Count - 1, ["session"] = Handle(session) });
    }

    public VectorRecorder Unwatch(int watch)
    {
        _watches[watch].Dispose();
        return Done(new JsonObject { ["do"] = "unwatch", ["watch"] = watch });
    }

    /// <summary>The schedule as one line.</summary>
    public override string ToString() => new JsonObject
    {
        ["name"] = name,
        ["capacity"] = capacity,
        ["sessions"] = Texts(sessions.Select(Handle)),
        ["steps"] = _steps.DeepClone(),
    }.ToJsonString();

    private static string Handle(SessionName session) => session.Tenant == "public" ? $"{session.Id}" : $"{session.Id}_{session.Tenant}";

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];

    private JsonArray Entries(IReadOnlyList<RevocationEntry> entries)
    {
        _kids.UnionWith(entries.Select(entry => entry.Kid).OfType<string>());
        return System.Text.Json.JsonSerializer.SerializeToNode(new HolderMessage { Type = "", Entries = [.. entries.Select(HolderEntry.Of)] }, HolderJson.Default.HolderMessage)!["entries"]!.DeepClone().AsArray();
    }

    private char Letter(SessionName session) => Holder.Check(session) switch
    {
        HolderVerdict.Known => 'k',
        HolderVerdict.Unknown => 'u',
        HolderVerdict.NotFresh => 'n',
        var other => throw new InvalidOperationException(other.ToString()),
    };

    // In this order: that the clocks disagree is found by whoever is the first to ask.
    private VectorRecorder Done(JsonObject step)
    {
        var now = new JsonObject { ["fresh"] = Holder.IsFresh, ["count"] = Holder.Count };
        if (capacity == Roomy)
        {
            now["verdicts"] = string.Concat(sessions.Select(Letter));
        }

        now["ended"] = new JsonArray([.. _watches.Index().Where(watch => watch.Item.Ended.IsCancellationRequested).Select(watch => (JsonNode)watch.Index)]);
        now["unseen"] = Texts(Holder.UnseenWatched().Select(Handle).Order(StringComparer.Ordinal));
        now["keys"] = Texts(_kids.Where(kid => Holder.RevokedKeys.Contains(App, kid)));
        now["suspected"] = _suspected;
        step["after"] = new JsonObject(now.Where(member => !JsonNode.DeepEquals(member.Value, _before[member.Key])).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        _before = now;
        _steps.Add(step);
        return this;
    }
}
