namespace Grid.TestKit.History;

/// <summary>What came of showing a refresh token.</summary>
public enum RefreshOutcome
{
    /// <summary>The next one was answered.</summary>
    Rotated = 1,

    /// <summary>The session is over.</summary>
    Unauthorised = 2,

    /// <summary>The token was held to be stolen, which ends the session.</summary>
    Theft = 3,

    /// <summary>503, a broken connection, no answer in time: it may have rotated, or do so later.</summary>
    Unknown = 4,
}

/// <summary>A refresh. Each attempt is a call of its own.</summary>
public sealed record RefreshCall
{
    public required string Session { get; init; }

    /// <summary>Who was asked, for people.</summary>
    public string Verifier { get; init; } = "";

    /// <summary>The refresh token that was shown, or a name for it.</summary>
    public required string Presented { get; init; }

    /// <summary>With <see cref="RefreshOutcome.Rotated"/>: the next one.</summary>
    public string? Issued { get; init; }

    public required RefreshOutcome Outcome { get; init; }

    /// <summary>Before the request left.</summary>
    public required TimeSpan Started { get; init; }

    /// <summary>After the answer had come.</summary>
    public required TimeSpan Ended { get; init; }

    /// <summary>The same as an answer about the session.</summary>
    public Verification AsVerification() => new()
    {
        Session = Session,
        Verifier = $"refresh at {Verifier}: {Outcome}",
        Result = Outcome switch
        {
            RefreshOutcome.Rotated => VerificationResult.Accepted,
            RefreshOutcome.Unknown => VerificationResult.Unavailable,
            _ => VerificationResult.Refused,
        },
        Started = Started,
        Ended = Ended,
    };
}
