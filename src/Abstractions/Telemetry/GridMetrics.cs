using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Telemetry;
using Grid.Tokens.Refresh;

namespace Grid.Abstractions.Telemetry;

/// <summary>What a silo counts and measures: <c>docs/telemetry.md</c>. What every holder can tell, services included, is in <c>HolderMetrics</c>; both share the meter.</summary>
/// <remarks>
/// Attributes have values that this code names, or that settings and code of an installation do: never a user, session, tenant, app or key, of which there
/// may be any number, and whom a time series would name to everybody who reads dashboards. Instruments that nobody listens to cost a comparison.
/// </remarks>
public sealed class GridMetrics
{
    /// <summary>Meter and activity source of all of Grid.</summary>
    public const string MeterName = HolderMetrics.MeterName;

    // Names of callers, made readable once each.
    private static readonly ConcurrentDictionary<string, string> Operations = new(StringComparer.Ordinal);

    // Milliseconds are normal, and a lease's end (up to 75 s with the longest) is what it comes to at worst.
    private static readonly InstrumentAdvice<double> Lags = new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 80] };
    private static readonly InstrumentAdvice<double> Calls = new() { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };
    private static readonly InstrumentAdvice<double> Signatures = new() { HistogramBucketBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1] };

    private readonly Lock _adding = new();
    private readonly Counter<long> _created;
    private readonly Counter<long> _refreshed;
    private readonly RareCounter _reused;
    private readonly Counter<long> _revoked;
    private readonly RareCounter _unconfirmed;
    private readonly RareCounter _waitedOut;
    private readonly RareCounter _refused;
    private readonly Counter<long> _activated;
    private readonly Histogram<double> _lag;
    private readonly Histogram<double> _store;
    private readonly Histogram<double> _signing;
    private (string Name, Func<int> Length)[] _queues = [];
    private (string Class, Func<int> Count)[] _requests = [];
    private Func<int>? _active;
    private IReadOnlyCollection<(string Kind, int Count)> _holders = [];
    private IReadOnlyCollection<(string Check, double Value)> _health = [];
    private Func<double?>? _certificate;

    /// <param name="meters">Of the host: the meter is its own.</param>
    public GridMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create(new MeterOptions(MeterName));
        _created = meter.CreateCounter<long>("grid.sessions.created", "{session}", "Sessions created, at once or by a ticket.");
        _refreshed = meter.CreateCounter<long>("grid.sessions.refreshed", "{request}", "Refresh tokens exchanged, or refused.");
        _reused = new(meter, "grid.sessions.reuse_detected", "{session}", "Sessions revoked because a retired refresh token was presented.", "grid.reuse.kind", Name(ReuseKind.RecentPrevious), Name(ReuseKind.OrphanedBranch), Name(ReuseKind.StaleLineage));
        _revoked = meter.CreateCounter<long>("grid.sessions.revoked", "{session}", "Sessions revoked and confirmed. Those of a whole tenant or app are not counted one by one.");
        _unconfirmed = new(meter, "grid.revocations.unconfirmed", "{revocation}", "Revocations that were committed, or may have been, and whose callers were told to repeat them.", "grid.revocation.reason", Name(RevocationReason.Requested));
        _waitedOut = new(meter, "grid.holders.waited_out", "{holder}", "Holders that did not confirm a revocation: it was acknowledged when their leases had run out.");
        _refused = new(meter, "grid.requests.refused", "{request}", "Requests refused by admission control because the silo is overloaded.", "grid.request.class");
        _activated = meter.CreateCounter<long>("grid.sessions.activated", "{activation}", "Activations of session grains.");
        _lag = meter.CreateHistogram("grid.revocation.lag", "s", "From a revocation's commit until every holder had confirmed it or its lease had run out.", null, Lags);
        _store = meter.CreateHistogram("grid.store.operation.duration", "s", "One exchange with the session store, which may be a group of many sessions' reads or writes.", null, Calls);
        _signing = meter.CreateHistogram("grid.token.signing.duration", "s", "Signing one access token.", null, Signatures);
        meter.CreateObservableGauge("grid.sessions.active", () => _active is { } active ? [new Measurement<int>(active())] : Array.Empty<Measurement<int>>(), "{session}", "Sessions whose grain is in this silo's memory: refreshed or changed lately. Over all silos each counts once.");
        meter.CreateObservableGauge("grid.holders", () => _holders.Select(kind => new Measurement<int>(kind.Count, new KeyValuePair<string, object?>("grid.holder.kind", kind.Kind))), "{holder}", "Holders in the cluster's registry: each silo tells all of them.");
        meter.CreateObservableGauge("grid.queue.length", () => _queues.Select(queue => new Measurement<int>(queue.Length(), new KeyValuePair<string, object?>("grid.queue", queue.Name))), "{item}", "What waits in this silo.");
        meter.CreateObservableGauge("grid.requests.active", () => _requests.Select(kind => new Measurement<int>(kind.Count(), new KeyValuePair<string, object?>("grid.request.class", kind.Class))), "{request}", "Requests in progress, as admission control counts them.");
        meter.CreateObservableGauge("grid.health.status", () => _health.Select(check => new Measurement<double>(check.Value, new KeyValuePair<string, object?>("grid.health.check", check.Check))), "1", "A check of /health/ready: 1 healthy, 0.5 degraded, 0 not ready.");
        meter.CreateObservableGauge("grid.certificate.remaining", () => _certificate?.Invoke() is { } left ? [new Measurement<double>(left)] : Array.Empty<Measurement<double>>(), "s", "Until the cluster certificate of this silo expires; nothing without one.");
    }

    /// <summary>A session was stored.</summary>
    public void Created() => _created.Add(1);

    /// <summary>A refresh was answered.</summary>
    /// <param name="verdict">As the caller hears it: <c>ok</c>, <c>unauthorised</c> or <c>token_theft</c>.</param>
    public void Refreshed(string verdict) => _refreshed.Add(1, new KeyValuePair<string, object?>("grid.verdict", verdict));

    /// <summary>A retired refresh token ended a session.</summary>
    public void Reused(ReuseKind kind) => _reused.Add(Name(kind), 1);

    /// <summary>A revocation is acknowledged.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="sessions">How many sessions; null if they were not counted.</param>
    /// <param name="lag">From commit to acknowledgement.</param>
    /// <param name="waitedOut">Holders that did not confirm.</param>
    public void Revoked(RevocationReason reason, int? sessions, TimeSpan lag, int waitedOut)
    {
        var why = new KeyValuePair<string, object?>("grid.revocation.reason", Name(reason));
        _revoked.Add(sessions ?? 0, why);
        _lag.Record(lag.TotalSeconds, why);
        if (waitedOut > 0)
        {
            _waitedOut.Add("", waitedOut);
        }
    }

    /// <summary>A revocation may be committed and is not confirmed.</summary>
    public void Unconfirmed(RevocationReason reason) => _unconfirmed.Add(Name(reason), 1);

    /// <summary>Admission control refused a request.</summary>
    /// <param name="requestClass">A constant of the code, such as <c>refresh</c>.</param>
    public void Refused(string requestClass) => _refused.Add(requestClass, 1);

    /// <summary>A session's grain was activated.</summary>
    public void Activated() => _activated.Add(1);

    /// <summary>Begins a measurement; 0 if nobody listens.</summary>
    public long StartSigning() => _signing.Enabled ? Stopwatch.GetTimestamp() : 0;

    /// <summary>A token was signed.</summary>
    /// <param name="started">From <see cref="StartSigning"/>.</param>
    public void SigningEnded(long started)
    {
        if (started != 0)
        {
            _signing.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <summary>Begins a measurement; 0 if nobody listens.</summary>
    public long StartStore() => _store.Enabled ? Stopwatch.GetTimestamp() : 0;

    /// <summary>The store answered, or did not.</summary>
    /// <param name="started">From <see cref="StartStore"/>.</param>
    /// <param name="operation">What was asked, as a method of the code is called.</param>
    /// <param name="error">A database's error code or a constant of the code; null if there was none.</param>
    public void StoreEnded(long started, string operation, string? error)
    {
        if (started == 0)
        {
            return;
        }

        var what = new KeyValuePair<string, object?>("grid.store.operation", Operation(operation));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (error is null)
        {
            _store.Record(seconds, what);
        }
        else
        {
            _store.Record(seconds, what, new KeyValuePair<string, object?>("error.type", error));
        }
    }

    /// <summary>Shows the length of a queue.</summary>
    /// <param name="name">A constant of the code.</param>
    /// <param name="length">Read when somebody collects; must not block.</param>
    public void Queue(string name, Func<int> length)
    {
        lock (_adding)
        {
            _queues = [.. _queues, (name, length)];
        }
    }

    /// <summary>Shows the requests in progress of each class.</summary>
    /// <param name="classes">Constants of the code; the counts are read when somebody collects, and must not block.</param>
    public void Requests(params (string Class, Func<int> Count)[] classes) => _requests = classes;

    /// <summary>Shows the number of session grains.</summary>
    public void ActiveSessions(Func<int> count) => _active = count;

    /// <summary>The registry as it was read last.</summary>
    /// <param name="kinds">Each kind's name with its count.</param>
    public void Holders(IReadOnlyCollection<(string Kind, int Count)> kinds) => _holders = kinds;

    /// <summary>What readiness came to last.</summary>
    /// <param name="checks">Each check's name, with 1, 0.5 or 0.</param>
    public void Health(IReadOnlyCollection<(string Check, double Value)> checks) => _health = checks;

    /// <summary>Shows the seconds until the cluster's certificate expires.</summary>
    public void Certificate(Func<double?> remaining) => _certificate = remaining;

    /// <summary><c>ListAppsAsync</c> is <c>list_apps</c>.</summary>
    internal static string Operation(string method) => Operations.GetOrAdd(method, static name =>
    {
        var words = name.EndsWith("Async", StringComparison.Ordinal) ? name[..^"Async".Length] : name;
        return string.Concat(words.Select((letter, at) => char.IsAsciiLetterUpper(letter) ? (at == 0 ? "" : "_") + char.ToLowerInvariant(letter) : letter.ToString()));
    });

    private static string Name(ReuseKind kind) => kind switch
    {
        ReuseKind.RecentPrevious => "recent_previous",
        ReuseKind.OrphanedBranch => "orphaned_branch",
        ReuseKind.StaleLineage => "stale_lineage",
        _ => "other",
    };

    private static string Name(RevocationReason reason) => reason switch
    {
        RevocationReason.Requested => "requested",
        RevocationReason.RefreshTokenReuse => "refresh_token_reuse",
        RevocationReason.TenantRemoved => "tenant_removed",
        RevocationReason.AppRemoved => "app_removed",
        RevocationReason.SignedOut => "signed_out",
        RevocationReason.Replaced => "replaced",
        RevocationReason.KeyRevoked => "key_revoked",
        RevocationReason.LifetimeOver => "lifetime_over",
        RevocationReason.BackupRestored => "backup_restored",
        _ => "other",
    };

    /// <summary>Counts what hardly ever happens and alerts wait for. It is exported from 0 on: of a counter that appears with its first event <c>increase()</c> does not see that one.</summary>
    private sealed class RareCounter
    {
        private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);
        private readonly string? _attribute;

        public RareCounter(Meter meter, string name, string unit, string description, string? attribute = null, params IEnumerable<string> values)
        {
            _attribute = attribute;
            foreach (var value in attribute is null ? [""] : values)
            {
                _counts[value] = 0;
            }

            meter.CreateObservableCounter(name, Read, unit, description);
        }

        public void Add(string value, long count) => _counts.AddOrUpdate(value, static (_, more) => more, static (_, sum, more) => sum + more, count);

        private IEnumerable<Measurement<long>> Read() => _counts.Select(counted =>
            _attribute is null ? new Measurement<long>(counted.Value) : new Measurement<long>(counted.Value, new KeyValuePair<string, object?>(_attribute, counted.Key)));
    }
}
