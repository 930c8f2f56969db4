using System.Diagnostics.Metrics;
using Grid.Revocation.Holders;

namespace Grid.Revocation.Telemetry;

/// <summary>Where a token was checked; numbers are places in a tally.</summary>
internal enum CheckDoor
{
    /// <summary>Core API.</summary>
    Core = 0,

    /// <summary>The front, and the application around a silo.</summary>
    Front = 1,

    /// <summary>A silo's door for Orleans clients.</summary>
    Orleans = 2,

    /// <summary>A service, in its own memory.</summary>
    Service = 3,
}

/// <summary>What came of it; numbers are places in a tally.</summary>
internal enum CheckResult
{
    /// <summary>Accepted.</summary>
    Ok = 0,

    /// <summary>Expired, or no token at all: the client refreshes.</summary>
    TryRefresh = 1,

    /// <summary>The session has ended.</summary>
    Unauthorised = 2,

    /// <summary>It could not be determined: 503.</summary>
    Unavailable = 3,
}

/// <summary>What every process can tell that checks tokens, a silo or a service: <c>docs/telemetry.md</c>.</summary>
/// <remarks>Checks are counted per processor and read when somebody collects: a check is far shorter than what a counter's listeners do.</remarks>
internal sealed class HolderMetrics
{
    /// <summary>Meter and activity source of all of Grid.</summary>
    public const string MeterName = "Grid";

    private const int Results = 4;

    // One processor's numbers: all doors and results, 128 bytes, so that no two processors write into one cache line.
    private const int Stripe = 4 * Results;

    private static readonly string[] Doors = ["core", "front", "orleans", "service"];
    private static readonly string[] Verdicts = ["ok", "try_refresh", "unauthorised", "unavailable"];

    private readonly Lock _adding = new();
    private readonly int _mask;
    private readonly long[] _checks;
    private readonly ObservableCounter<long> _verified;
    private (Holder Holder, KeyValuePair<string, object?>[] Tags)[] _holders = [];
    private long _unchecked;

    public HolderMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var stripes = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 64));
        (_mask, _checks) = (stripes - 1, new long[stripes * Stripe]);
        var meter = meters.Create(new MeterOptions(MeterName));
        _verified = meter.CreateObservableCounter("grid.sessions.verified", ReadChecks, "{request}", "Access tokens checked.");

        // From 0 on: of a counter that appears with its first event an alert on its increase does not hear that one.
        meter.CreateObservableCounter(
            "grid.sessions.accepted_unchecked", () => Interlocked.Read(ref _unchecked), "{request}", "Requests accepted on the token alone because it could not be determined whether the session is active (stale_session_behaviour=BOUNDED).");
        meter.CreateObservableGauge("grid.sessions.remembered", () => Read(holder => holder.Count), "{session}", "Sessions that this process answers for from memory.");
        meter.CreateObservableGauge(
            "grid.lease.age", () => Read(holder => holder.Age is { } age ? age.TotalSeconds : (double?)null), "s", "Since the renewal was sent behind the current lease; nothing while there is none.");
        meter.CreateObservableGauge("grid.lease.held", () => Read(holder => holder.IsFresh ? 1 : 0), "1", "1 while this process may answer from memory, 0 while it answers 503.");
    }

    /// <summary>Takes a holder of this process in.</summary>
    /// <param name="holder">The holder.</param>
    /// <param name="client">The name of the client, where a process has several; null for the one without a name.</param>
    public void Watch(Holder holder, string? client = null)
    {
        ArgumentNullException.ThrowIfNull(holder);
        lock (_adding)
        {
            _holders = [.. _holders, (holder, string.IsNullOrEmpty(client) ? [] : [new("grid.client", client)])];
        }
    }

    /// <summary>Counts a check; costs nothing while nobody listens.</summary>
    public void Checked(CheckDoor door, CheckResult result)
    {
        if (_verified.Enabled)
        {
            Interlocked.Increment(ref _checks[((Thread.GetCurrentProcessorId() & _mask) * Stripe) + ((int)door * Results) + (int)result]);
        }
    }

    /// <summary>Counts a token that was accepted by itself (<c>BOUNDED</c>).</summary>
    public void AcceptedUnchecked() => Interlocked.Increment(ref _unchecked);

    private IEnumerable<Measurement<long>> ReadChecks()
    {
        for (var place = 0; place < Stripe; place++)
        {
            var sum = 0L;
            for (var at = place; at < _checks.Length; at += Stripe)
            {
                sum += Interlocked.Read(ref _checks[at]);
            }

            if (sum > 0)
            {
                yield return new Measurement<long>(sum, new KeyValuePair<string, object?>("grid.door", Doors[place / Results]), new("grid.verdict", Verdicts[place % Results]));
            }
        }
    }

    private IEnumerable<Measurement<T>> Read<T>(Func<Holder, T?> value)
        where T : struct
    {
        foreach (var (holder, tags) in _holders)
        {
            if (value(holder) is { } read)
            {
                yield return new Measurement<T>(read, tags);
            }
        }
    }

    private IEnumerable<Measurement<int>> Read(Func<Holder, int> value) => _holders.Select(watched => new Measurement<int>(value(watched.Holder), watched.Tags));
}
