namespace Grid.Revocation.Tests.Simulation;

/// <summary>A machine's clocks: they run too fast or too slowly, began anywhere, and can be made to jump or stand still. Without settings they are exact.</summary>
internal sealed class SimClock(Scheduler scheduler, Settings? settings, double rate, TimeSpan monotonicOffset, TimeSpan wallOffset) : TimeProvider
{
    // A step that reads its clock more often is waiting for it to move, which it does not during a step.
    private const int MaxReads = 20_000;

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TimeSpan? _asleepSince;
    private TimeSpan _slept;
    private TimeSpan _wall = wallOffset;
    private int _reads;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        if (++_reads > MaxReads)
        {
            throw new InvalidOperationException("Somebody waits for the clock without resting.");
        }

        if (settings is not null && scheduler.Dice.Chance(settings.Stalls))
        {
            scheduler.Stall();
        }

        return ((((_asleepSince ?? scheduler.Now) - _slept) * rate) + monotonicOffset).Ticks;
    }

    public override DateTimeOffset GetUtcNow() => Start + (scheduler.Now * rate) + _wall;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period != Timeout.InfiniteTimeSpan)
        {
            throw new InvalidOperationException("Nothing here is repeated by a timer.");
        }

        var timer = new SimTimer(this, (SimProcess)SynchronizationContext.Current!, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void StepBegins() => _reads = 0;

    /// <summary>The wall clock is set.</summary>
    public void JumpWall(TimeSpan by) => _wall += by;

    /// <summary>The machine sleeps, and only its wall clock knows.</summary>
    public void Sleep() => _asleepSince ??= scheduler.Now;

    public void Wake()
    {
        _slept += scheduler.Now - (_asleepSince ?? scheduler.Now);
        _asleepSince = null;
    }

    // Timers count in coarse ticks of their own: some fire a little before the clock says so.
    private TimeSpan Real(TimeSpan local)
    {
        var real = settings is null ? local : (local / rate) + scheduler.Dice.Milliseconds(0, 2) - settings.Earliness;
        return real > TimeSpan.Zero ? real : TimeSpan.Zero;
    }

    private sealed class SimTimer(SimClock clock, SimProcess process, TimerCallback callback, object? state) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                process.Scheduler.After(clock.Real(dueTime), process, () =>
                {
                    if (version == _version)
                    {
                        callback(state);
                    }
                });
            }

            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
