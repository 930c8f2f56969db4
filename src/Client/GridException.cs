namespace Grid.Client;

/// <summary>Why a call to Grid failed.</summary>
public enum GridFailure
{
    /// <summary>
    /// Grid or its store did not respond, so the outcome is unknown. Return 503, never 401: an outage must not sign users out.
    /// </summary>
    Unavailable,

    /// <summary>
    /// Grid responds, but a revocation was not acknowledged within <see cref="GridClientOptions.RevocationTimeout"/>: a process that accepts
    /// tokens has stopped responding. The session may or may not have ended yet. Repeat the call to complete and confirm it.
    /// </summary>
    StillWaiting,

    /// <summary>Grid rejected the call; the message says what to fix.</summary>
    Refused,

    /// <summary>The session ended while the request was being handled.</summary>
    SessionEnded,

    /// <summary>A required claim is missing, too old, or has a different value.</summary>
    InvalidClaims,

    /// <summary>The access token would be too long for its cookie or header; nothing was changed. Put less into the payload.</summary>
    TokenTooLong,
}

/// <summary>
/// A call to Grid that failed. If it is not handled, <c>AddGrid()</c> in ASP.NET Core turns it into 503, 401, 403, 400 or 500.
/// </summary>
/// <param name="reason">Why, and so what to do about it.</param>
/// <param name="message">What happened and, if it can be fixed, how.</param>
/// <param name="cause">The underlying exception.</param>
public class GridException(GridFailure reason, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Why, and so what to do about it.</summary>
    public GridFailure Reason { get; } = reason;

    /// <summary>
    /// How long Grid asks to wait before the call is repeated, to the second (<c>Retry-After</c>); null if it did not say. With <see cref="GridFailure.Unavailable"/>:
    /// a silo with too many requests at once names another time to each, so that they do not all come back together.
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }
}
