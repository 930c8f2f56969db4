namespace Grid.Revocation.Tests;

/// <summary>A clock that stands still until it is moved. Wall and monotonic time can be moved apart.</summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TimeSpan _monotonic;
    private TimeSpan _wall;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _monotonic.Ticks;

    public override DateTimeOffset GetUtcNow() => Start + _wall;

    public void Pass(TimeSpan time)
    {
        _monotonic += time;
        _wall += time;
    }

    public void MoveWall(TimeSpan time) => _wall += time;
}
