namespace Grid.Revocation;

/// <summary>Durations in the unit of a clock's timestamps.</summary>
internal static class ClockTicks
{
    /// <summary>How far <see cref="TimeProvider.GetTimestamp"/> moves in this time.</summary>
    public static long ToTicks(this TimeProvider clock, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return (long)(time.TotalSeconds * clock.TimestampFrequency);
    }
}
