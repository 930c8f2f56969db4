using Grid.Abstractions.Telemetry;
using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Admission;

/// <summary>
/// Decides which requests this silo works on when there are more than it can do, whichever door they came in by: revocations before
/// refreshes before creates before checks before lists. Nobody waits here: who is refused hears it at once.
/// </summary>
/// <remarks>
/// Each class has places of its own and, beyond them, is admitted until all requests in progress reach its mark, which is the lower the
/// less it matters. Why not the framework's limiters: <c>docs/decisions/0025</c>. Safe for any number of threads; takes no lock.
/// </remarks>
internal sealed partial class AdmissionControl : IDisposable
{
    private const int Classes = (int)RequestClass.Forward + 1;

    // Apart by more than a cache line: every request of every core changes one.
    private const int Apart = 32;

    private readonly int[] _inside = new int[(Classes + 1) * Apart];
    private readonly int[] _fromFront = new int[(Classes + 1) * Apart];
    private readonly int[] _own = new int[Classes];
    private readonly int[] _mark = new int[Classes];
    private readonly GridMetrics _metrics;
    private readonly OutageTally _tally;

    public AdmissionControl(AdmissionLimits limits, GridMetrics metrics, TimeProvider clock, ILogger<AdmissionControl> logger)
    {
        _metrics = metrics;
        for (var kind = RequestClass.List; kind <= RequestClass.Forward; kind++)
        {
            (_own[(int)kind], _mark[(int)kind]) = (limits.Own(kind), limits.Mark(kind));
        }

        metrics.Requests([.. Enumerable.Range((int)RequestClass.List, Classes - 1)
            .Select(kind => (Name((RequestClass)kind), (Func<int>)(() => Volatile.Read(ref _inside[kind * Apart]))))]);

        _tally = new OutageTally(
            clock,
            (kind, _) => Log.Refused(logger, kind),
            more => Log.RefusedMore(logger, more.Count, more.Kinds),
            all => Log.Over(logger, all.Count, all.Lasted));
    }

    /// <summary>A place in a class, until it is disposed of; without one if it is not <see cref="Place.IsTaken"/>, and the refusal is counted.</summary>
    /// <param name="kind">The class; <see cref="RequestClass.None"/> always has room.</param>
    /// <param name="isFront">Whether it came in by the front, which strangers reach: it gets half of each class at most.</param>
    public Place Enter(RequestClass kind, bool isFront)
    {
        if (kind == RequestClass.None)
        {
            return new Place(null, kind, isFront, isTaken: true);
        }

        var index = (int)kind * Apart;
        var ofClass = Interlocked.Increment(ref _inside[index]);
        var all = IsApart(kind) ? 0 : Interlocked.Increment(ref _inside[0]);
        var ofFront = isFront ? Interlocked.Increment(ref _fromFront[index]) : 0;
        var place = new Place(this, kind, isFront, isTaken: true);
        if (HasRoom(kind, ofClass, all, ofFront))
        {
            return place;
        }

        place.Dispose();
        return Refuse(kind);
    }

    /// <summary>Whether it would be refused now: so that a request is refused before its body is read. If so, the refusal is counted.</summary>
    public bool IsFull(RequestClass kind, bool isFront)
    {
        if (kind == RequestClass.None)
        {
            return false;
        }

        var index = (int)kind * Apart;
        var ofFront = isFront ? Volatile.Read(ref _fromFront[index]) + 1 : 0;
        if (HasRoom(kind, Volatile.Read(ref _inside[index]) + 1, Volatile.Read(ref _inside[0]) + 1, ofFront))
        {
            return false;
        }

        Refuse(kind);
        return true;
    }

    public void Dispose() => _tally.Dispose();

    private bool HasRoom(RequestClass kind, int ofClass, int all, int ofFront) =>
        (ofClass <= _own[(int)kind] || (!IsApart(kind) && all <= _mark[(int)kind])) && ofFront <= Math.Max(1, _mark[(int)kind] / 2);

    private Place Refuse(RequestClass kind)
    {
        var name = Name(kind);
        _metrics.Refused(name);
        _tally.Met(name, null);
        return default;
    }

    private void Leave(RequestClass kind, bool isFront)
    {
        var index = (int)kind * Apart;
        Interlocked.Decrement(ref _inside[index]);
        if (!IsApart(kind))
        {
            Interlocked.Decrement(ref _inside[0]);
        }

        if (isFront)
        {
            Interlocked.Decrement(ref _fromFront[index]);
        }
    }

    private static bool IsApart(RequestClass kind) => kind >= RequestClass.Revoke;

    private static string Name(RequestClass kind) => kind switch
    {
        RequestClass.List => "list",
        RequestClass.Verify => "verify",
        RequestClass.Create => "create",
        RequestClass.Refresh => "refresh",
        RequestClass.Revoke => "revoke",
        RequestClass.Forward => "forward",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>A request's place.</summary>
    internal readonly struct Place(AdmissionControl? admission, RequestClass kind, bool isFront, bool isTaken) : IDisposable
    {
        /// <summary>Whether the request may go on.</summary>
        public bool IsTaken => isTaken;

        public void Dispose() => admission?.Leave(kind, isFront);
    }

    private static partial class Log
    {
        [LoggerMessage(3120, LogLevel.Warning, "Overload: refused a request ({Class}) with 503, there are too many requests at once. Further ones are counted")]
        public static partial void Refused(ILogger logger, string @class);

        [LoggerMessage(3121, LogLevel.Warning, "Overload: refused {Count} more requests with 503 ({Classes})")]
        public static partial void RefusedMore(ILogger logger, long count, string classes);

        [LoggerMessage(3122, LogLevel.Information, "Overload is over; {Count} requests got 503 in {Lasted}")]
        public static partial void Over(ILogger logger, long count, TimeSpan lasted);
    }
}
