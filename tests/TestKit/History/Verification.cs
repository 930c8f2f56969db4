namespace Grid.TestKit.History;

/// <summary>What a caller was told of a session.</summary>
public enum VerificationResult
{
    Accepted = 1,

    /// <summary>The session is over: 401.</summary>
    Refused = 2,

    /// <summary>503, a broken connection, no answer in time.</summary>
    Unavailable = 3,
}

/// <summary>A request that showed a session's token: an access token to be checked, or a refresh token to be exchanged for the next one.</summary>
/// <remarks>Both are judged alike. A refresh that is refused signs out, whether its token was lost or is held to be stolen; <see cref="RefreshCall"/> tells the two apart.</remarks>
public sealed record Verification
{
    public required string Session { get; init; }

    /// <summary>Who was asked, for people.</summary>
    public string Verifier { get; init; } = "";

    public required VerificationResult Result { get; init; }

    /// <summary>Before the request left.</summary>
    public required TimeSpan Started { get; init; }

    /// <summary>After the answer had come.</summary>
    public required TimeSpan Ended { get; init; }
}
