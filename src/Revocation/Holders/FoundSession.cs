namespace Grid.Revocation.Holders;

/// <summary>An active session as the store holds it.</summary>
internal sealed record FoundSession
{
    public required SessionName Name { get; init; }

    public required string UserId { get; init; }

    /// <summary>The user's epoch when the session was created.</summary>
    public required long Epoch { get; init; }

    /// <summary>When it expires unless it is refreshed before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whatever else the caller wants to keep. Unlike the liveness it may be outdated.</summary>
    public object? Details { get; init; }
}
