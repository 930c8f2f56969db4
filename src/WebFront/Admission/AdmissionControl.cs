using Grid.Abstractions.Telemetry;
using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Admission;

/// <summary>
/// Decides which requests this silo works on when there are more than it can do, whichever door they came in by: revocations before
/// refreshes before creates before checks before lists, and within each of these no app at the others' expense. Nobody waits here: who is
/// refused hears it at once.
/// </summary>
/// <remarks>
/// Each class has places of its own and, beyond them, is admitted until all requests in progress reach its mark, which is the lower the
/// less it matters. When that is reached, an app that has less than its share of the class is still admitted, and the others are not
/// until it is no longer reached. Why so, and not by the framework's limiters: <c>docs/decisions/0025</c>. Safe for any number of threads;
/// takes no lock.
/// </remarks>
internal sealed partial class AdmissionControl : IDisposable
{
    /// <summary>How many values <see cref="RequestClass"/> has.</summary>
    public const int Classes = (int)RequestClass.Ask + 1;

    // Apart by more than a cache line: every request of every core changes one.
    private const int Apart = 32;

    // Times its mark: what a class holds at most, of apps that have less than their share, while the others finish.
    private const int Over = 2;

    private readonly int[] _inside = new int[Classes * Apart];
    private readonly int[] _apps = new int[Classes * Apart];
    private readonly int[] _own = new int[Classes];
    private readonly int[] _mark = new int[Classes];
    private readonly AppsPlaces _places = new();

    // Strangers reach the front: what they do is not its app's back ends' doing.
    private readonly AppPlaces _front = new();

    // Apps that only the core behind Grid knows.
    private readonly AppPlaces _unknown = new();
    private readonly GridMetrics _metrics;
    private readonly OutageTally _tally;

    public AdmissionControl(AdmissionLimits limits, GridMetrics metrics, TimeProvider clock, ILogger<AdmissionControl> logger)
    {
        _metrics = metrics;
        for (var kind = RequestClass.List; kind <= RequestClass.Ask; kind++)
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

    /// <summary>Number of apps that are kept in memory.</summary>
    internal int AppsKept => _places.Count;

    /// <summary>A place in a class, until it is disposed of; without one if it is not <see cref="Place.IsTaken"/>, and the refusal is counted.</summary>
    /// <param name="kind">The class; <see cref="RequestClass.None"/> always has room.</param>
    /// <param name="from">Who asks: never an app on the mere word of somebody without its key.</param>
    /// <param name="hasBegun">It belongs to what has begun in another class, and is counted but not refused: so there are no more of these than the other class lets begin.</param>
    public Place Enter(RequestClass kind, Asker from, bool hasBegun = false)
    {
        if (kind == RequestClass.None)
        {
            return new Place(null, kind, null);
        }

        var places = from.IsFront ? _front : from.App is { } app ? _places.Of(app) : _unknown;
        var ofApp = places.Enter(kind);
        var index = (int)kind * Apart;
        var apps = ofApp == 1 ? Interlocked.Increment(ref _apps[index]) : Volatile.Read(ref _apps[index]);
        var ofClass = Interlocked.Increment(ref _inside[index]);
        var all = IsApart(kind) ? 0 : Interlocked.Increment(ref _inside[0]);
        var place = new Place(this, kind, places);
        var most = Most(kind, ofClass, all);
        if (hasBegun || ((!from.IsFront || IsForFront(kind, ofApp)) && (ofClass <= most || IsShare(kind, most, ofClass, ofApp, apps))))
        {
            return place;
        }

        place.Dispose();
        return Refuse(kind);
    }

    /// <summary>Whether it would be refused now: so that a request is refused before its body is read. If so, the refusal is counted.</summary>
    public bool IsFull(RequestClass kind, Asker from)
    {
        if (kind == RequestClass.None)
        {
            return false;
        }

        var index = (int)kind * Apart;
        var ofClass = Volatile.Read(ref _inside[index]) + 1;
        var most = Most(kind, ofClass, Volatile.Read(ref _inside[0]) + 1);
        if ((!from.IsFront || IsForFront(kind, _front.Inside(kind) + 1)) && (ofClass <= most || IsBelowShare(kind, from, most, ofClass)))
        {
            return false;
        }

        Refuse(kind);
        return true;
    }

    public void Dispose() => _tally.Dispose();

    // What a class may hold while the others hold what they do: its own places, or what is left of all up to its mark.
    private int Most(RequestClass kind, int ofClass, int all) => IsApart(kind) ? _own[(int)kind] : Math.Max(_own[(int)kind], _mark[(int)kind] - (all - ofClass));

    // The numbers were not read at one moment: there may seem to be no app.
    private bool IsShare(RequestClass kind, int most, int ofClass, int ofApp, int apps) =>
        ofApp <= Math.Max(1, most / Math.Max(1, apps)) && ofClass <= Over * _mark[(int)kind];

    private bool IsBelowShare(RequestClass kind, Asker from, int most, int ofClass)
    {
        var ofApp = (from.IsFront ? _front : from.App is { } app ? _places.Find(app) : _unknown)?.Inside(kind) ?? 0;
        var apps = Volatile.Read(ref _apps[(int)kind * Apart]);
        return IsShare(kind, most, ofClass, ofApp + 1, ofApp == 0 ? apps + 1 : apps);
    }

    private bool IsForFront(RequestClass kind, int ofFront) => ofFront <= Math.Max(1, _mark[(int)kind] / 2);

    private Place Refuse(RequestClass kind)
    {
        var name = Name(kind);
        _metrics.Refused(name);
        _tally.Met(name, null);
        return default;
    }

    private void Leave(RequestClass kind, AppPlaces places)
    {
        var index = (int)kind * Apart;
        Interlocked.Decrement(ref _inside[index]);
        if (!IsApart(kind))
        {
            Interlocked.Decrement(ref _inside[0]);
        }

        if (places.Leave(kind) == 0)
        {
            Interlocked.Decrement(ref _apps[index]);
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
        RequestClass.Ask => "ask",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>A request's place.</summary>
    internal readonly struct Place(AdmissionControl? admission, RequestClass kind, AppPlaces? places) : IDisposable
    {
        private readonly bool _isTaken = true;

        /// <summary>Whether the request may go on.</summary>
        public bool IsTaken => _isTaken;

        public void Dispose()
        {
            if (places is not null)
            {
                admission?.Leave(kind, places);
            }
        }
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
