using Grid.Abstractions.Installation;
using Grid.Revocation;

namespace Grid.Abstractions.Clocks;

/// <summary>What is known of this machine's wall clock.</summary>
public enum ClockVerdict
{
    /// <summary>It is not compared: for programs other than silos.</summary>
    Unwatched = 0,

    /// <summary>Not compared yet.</summary>
    Unknown,

    /// <summary>As the store's.</summary>
    Right,

    /// <summary>More than <see cref="ClockTrust.Suspicious"/> away: a person should look.</summary>
    Off,

    /// <summary>More than <see cref="ClockTrust.Unbearable"/> away: nothing may expire by it.</summary>
    Wrong,
}

/// <summary>Whether this machine's wall clock may decide that something has expired. For one writer and any number of readers.</summary>
/// <remarks>
/// A clock that is ahead expires active sessions, and a purge by it deletes them for good. So the clock is compared with the store
/// every second, and between two comparisons with the time that has passed since the last one.
/// </remarks>
/// <param name="wall">The clock in question.</param>
/// <param name="steady">Monotonic time, including suspension.</param>
public sealed class ClockTrust(TimeProvider wall, TimeProvider steady)
{
    /// <summary>Difference above which a person should look.</summary>
    public static TimeSpan Suspicious { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Difference above which nothing may expire.</summary>
    public static TimeSpan Unbearable { get; } = TimeSpan.FromSeconds(30);

    /// <summary>After a start this long after the newest time in the file it cannot be told whether the machine was off or its clock is wrong.</summary>
    public static TimeSpan LongAbsence { get; } = TimeSpan.FromDays(1);

    /// <summary>How long a purge waits after such a start.</summary>
    public static TimeSpan PurgeWaits { get; } = TimeSpan.FromHours(24);

    // Purging by a clock that was not compared for longer is not worth the risk.
    private static readonly TimeSpan FreshComparison = TimeSpan.FromMinutes(1);

    // An answer that took longer says too little about the time.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(5);

    private volatile State _state = new(ClockVerdict.Unwatched);

    /// <summary>As of the last comparison.</summary>
    public ClockVerdict Verdict => _state.Verdict;

    /// <summary>This machine's clock minus what it was compared with.</summary>
    public TimeSpan Difference => _state.Difference;

    /// <summary>Since when, by this machine's clock, the verdict has been what it is.</summary>
    public DateTimeOffset Since => _state.Since;

    /// <summary>What is wrong with it, for people; empty if nothing is.</summary>
    public string Reason => _state.Reason;

    /// <summary>Whether something may expire by the wall clock at this moment.</summary>
    public bool IsTrusted
    {
        get
        {
            var state = _state;
            return state.Verdict switch
            {
                ClockVerdict.Unwatched => true,
                ClockVerdict.Right or ClockVerdict.Off => (wall.GetUtcNow() - Expected(state)).Duration() <= Unbearable,
                _ => false,
            };
        }
    }

    /// <summary>How much longer purges have to wait because the clock is in doubt; zero if it is not.</summary>
    public TimeSpan PurgeHeldFor => _state is { HeldSince: { } since } && PurgeWaits - steady.GetElapsedTime(since) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Whether rows may be deleted for having expired.</summary>
    public bool MayPurge =>
        IsTrusted && (_state.Verdict == ClockVerdict.Unwatched || (steady.GetElapsedTime(_state.ComparedAt) <= FreshComparison && PurgeHeldFor == TimeSpan.Zero));

    /// <summary>The newest time that has been seen while the clock was right: what a file remembers. Null while it is in doubt.</summary>
    public DateTimeOffset? Newest => PurgeHeldFor == TimeSpan.Zero ? _state.Newest : null;

    /// <summary>The earlier of this clock's time and the store's: what has expired by both has expired.</summary>
    public DateTimeOffset Earliest()
    {
        var now = wall.GetUtcNow();
        return _state.Difference > TimeSpan.Zero ? now - _state.Difference : now;
    }

    /// <summary>Starts comparing: from now on it is not trusted before the first comparison.</summary>
    public void Watch()
    {
        if (_state.Verdict == ClockVerdict.Unwatched)
        {
            _state = new State(ClockVerdict.Unknown) { Since = wall.GetUtcNow(), Reason = "The clock has not been compared with the store's yet." };
        }
    }

    /// <summary>Takes the time before the store is asked.</summary>
    public Asked Ask() => new(wall.GetUtcNow(), steady.GetTimestamp());

    /// <summary>Compares with the store's answer.</summary>
    /// <returns>Whether the verdict has changed.</returns>
    public bool Compare(Asked asked, StoreTime store)
    {
        var took = steady.GetElapsedTime(asked.At);
        if (store.IsRunning && took > LongestAnswer)
        {
            return false;
        }

        var before = _state;
        _state = store is { IsRunning: true, Time: { } time } ? ByServer(before, asked, took, time) : ByMark(before, store.Time);
        return before.Verdict != _state.Verdict;
    }

    private State ByServer(State before, Asked asked, TimeSpan took, DateTimeOffset store)
    {
        // The store read its clock somewhere between the question and the answer.
        var difference = asked.Wall + (took / 2) - store;
        var verdict = Judge(difference.Duration() - (took / 2));
        return Next(before, verdict, difference, "PostgreSQL's") with { Baseline = asked.Wall + took, BaselineAt = asked.At + steady.ToTicks(took) };
    }

    private State ByMark(State before, DateTimeOffset? mark)
    {
        var (now, at) = (wall.GetUtcNow(), steady.GetTimestamp());
        var newest = before.Newest is { } seen && (mark is null || seen > mark) ? seen : mark;
        var behind = newest - now;
        if (before.Baseline is null)
        {
            // The first look, or the first that was not behind: only the mark can tell.
            var first = Next(before, Judge(Positive(behind)), -Positive(behind), "the newest time in the file");
            return first.Verdict == ClockVerdict.Wrong ? first : first with
            {
                Baseline = now,
                BaselineAt = at,
                Newest = Later(newest, now),
                HeldSince = -behind > LongAbsence ? at : null,
            };
        }

        var leap = now - Expected(before);
        var verdict = leap > LongAbsence ? ClockVerdict.Wrong : (ClockVerdict)Math.Max((int)Judge(Positive(behind)), (int)(leap > Suspicious ? ClockVerdict.Off : ClockVerdict.Right));
        var next = Next(before, verdict, leap > Suspicious ? leap : -Positive(behind), leap > Suspicious ? "the time that has passed since" : "the newest time in the file");
        return verdict == ClockVerdict.Wrong ? next : next with { Baseline = now, BaselineAt = at, Newest = Later(newest, now) };
    }

    private State Next(State before, ClockVerdict verdict, TimeSpan difference, string than)
    {
        // Between two thresholds the verdict stays, so that it does not flicker while a clock is being slewed.
        if (before.Verdict > verdict && before.Verdict is ClockVerdict.Off or ClockVerdict.Wrong
            && difference.Duration() > 0.8 * (before.Verdict == ClockVerdict.Wrong ? Unbearable : Suspicious))
        {
            verdict = before.Verdict;
        }

        return before with
        {
            Verdict = verdict,
            Difference = difference,
            ComparedAt = steady.GetTimestamp(),
            Since = before.Verdict == verdict ? before.Since : wall.GetUtcNow(),
            Reason = verdict is ClockVerdict.Right ? "" : $"This machine's clock is {difference.Duration():d\\.hh\\:mm\\:ss} {(difference > TimeSpan.Zero ? "ahead of" : "behind")} {than}.",
        };
    }

    private static ClockVerdict Judge(TimeSpan difference) =>
        difference > Unbearable ? ClockVerdict.Wrong : difference > Suspicious ? ClockVerdict.Off : ClockVerdict.Right;

    private static TimeSpan Positive(TimeSpan? time) => time is { } value && value > TimeSpan.Zero ? value : TimeSpan.Zero;

    private static DateTimeOffset Later(DateTimeOffset? left, DateTimeOffset right) => left > right ? left.Value : right;

    private DateTimeOffset Expected(State state) => state.Baseline!.Value + steady.GetElapsedTime(state.BaselineAt);

    /// <summary>A moment by both clocks.</summary>
    /// <param name="Wall">By the wall clock.</param>
    /// <param name="At">By the steady one.</param>
    public readonly record struct Asked(DateTimeOffset Wall, long At);

    private sealed record State(ClockVerdict Verdict)
    {
        public TimeSpan Difference { get; init; }

        public DateTimeOffset Since { get; init; }

        public string Reason { get; init; } = "";

        public long ComparedAt { get; init; }

        /// <summary>The wall clock when it was last found right, and the steady one at that moment.</summary>
        public DateTimeOffset? Baseline { get; init; }

        public long BaselineAt { get; init; }

        public DateTimeOffset? Newest { get; init; }

        public long? HeldSince { get; init; }
    }
}
