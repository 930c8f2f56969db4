namespace Grid.Abstractions.Sessions;

/// <summary>When a session expires: one validity after it was created or refreshed last, and at the end of its longest lifetime however often it is refreshed.</summary>
public static class SessionExpiry
{
    /// <summary>The expiry of a session that is created or refreshed now.</summary>
    /// <param name="createdAt">The session's time of creation.</param>
    /// <param name="now">When it is refreshed; the same as <paramref name="createdAt"/> for a new one.</param>
    /// <param name="validity">Of its refresh token.</param>
    /// <param name="maxLifetime">Since its creation; zero for no end (a caller of an older version).</param>
    public static DateTimeOffset Of(DateTimeOffset createdAt, DateTimeOffset now, TimeSpan validity, TimeSpan maxLifetime) =>
        EndsWithin(createdAt, now + validity, maxLifetime) ? createdAt + maxLifetime : now + validity;

    /// <summary>Whether a session's longest lifetime is over by then.</summary>
    public static bool EndsWithin(DateTimeOffset createdAt, DateTimeOffset then, TimeSpan maxLifetime) =>
        maxLifetime > TimeSpan.Zero && then - createdAt >= maxLifetime;
}
