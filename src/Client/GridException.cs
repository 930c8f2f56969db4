namespace Grid.Client;

/// <summary>Why a call to Grid has no result.</summary>
public enum GridFailure
{
    /// <summary>Grid or its store did not answer, so the outcome is unknown. Answer 503, never 401: nobody is signed out by an outage.</summary>
    Unavailable,

    /// <summary>
    /// Grid answers, but a revocation was not acknowledged within <see cref="GridClientOptions.RevocationTimeout"/>: it waits for a process that
    /// accepts tokens and is silent. The session may be over already or not yet. Repeat the call: a repetition finishes and confirms.
    /// </summary>
    StillWaiting,

    /// <summary>Grid refused the call; the message says what to repair.</summary>
    Refused,

    /// <summary>The session ended while the request ran.</summary>
    SessionEnded,

    /// <summary>A claim is missing, old or has another value.</summary>
    InvalidClaims,

    /// <summary>The access token would be too long to reach the client and come back; nothing was changed. Put less into the payload.</summary>
    TokenTooLong,
}

/// <summary>A call that could not be answered. Unhandled, ASP.NET Core's <c>AddGrid()</c> turns it into 503, 401, 403, 400 or 500.</summary>
/// <param name="reason">What to do about it.</param>
/// <param name="message">What happened and, where somebody can repair it, how.</param>
/// <param name="cause">What it was met as.</param>
public class GridException(GridFailure reason, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What to do about it.</summary>
    public GridFailure Reason { get; } = reason;
}
