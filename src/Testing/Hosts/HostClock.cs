namespace Grid.Testing.Hosts;

/// <summary>The test's clock as a silo may have it: timers are real, so that its loops run on whether the test moves the clock or not.</summary>
/// <param name="test">Tells the time of day.</param>
/// <param name="ticks">Measures how long something took.</param>
internal sealed class HostClock(TimeProvider test, TimeProvider ticks) : TimeProvider
{
    public override long TimestampFrequency => ticks.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => test.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => test.GetUtcNow();

    public override long GetTimestamp() => ticks.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime, period);
}
