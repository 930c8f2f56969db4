namespace Grid.TestKit;

/// <summary>Real time that a test can move forward: Orleans itself runs on it, so it may not stand still.</summary>
public sealed class SkippingTime : TimeProvider
{
    private long _skipped;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _skipped));

    // By Int128: a quarter of an hour in ticks, times a frequency of nanoseconds, is more than a long holds.
    public override long GetTimestamp() =>
        base.GetTimestamp() + (long)((Int128)Interlocked.Read(ref _skipped) * TimestampFrequency / TimeSpan.TicksPerSecond);

    public void Skip(TimeSpan time) => Interlocked.Add(ref _skipped, time.Ticks);
}
