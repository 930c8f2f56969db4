namespace Grid.Abstractions.Clocks;

/// <summary>The wall clock for decisions about expiry: it throws rather than returning a time that cannot be trusted.</summary>
public sealed class TrustedClock(TimeProvider wall, ClockTrust trust) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => wall.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => wall.LocalTimeZone;

    /// <inheritdoc/>
    /// <exception cref="StoreUnavailableException">This machine's clock is wrong: answer 503, so that it signs nobody out.</exception>
    public override DateTimeOffset GetUtcNow() => trust.IsTrusted ? wall.GetUtcNow() : throw new StoreUnavailableException(
        trust.Reason is { Length: > 0 } reason ? reason : "This machine's clock has just been set to another time.");

    /// <summary>The time as tokens and store hold it: in whole milliseconds.</summary>
    /// <exception cref="StoreUnavailableException">As <see cref="GetUtcNow"/>.</exception>
    public DateTimeOffset GetUtcMilliseconds() => DateTimeOffset.FromUnixTimeMilliseconds(GetUtcNow().ToUnixTimeMilliseconds());

    /// <inheritdoc/>
    public override long GetTimestamp() => wall.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => wall.CreateTimer(callback, state, dueTime, period);
}
