namespace Grid.TestKit.History;

/// <summary>What the store holds when nobody asks for anything any more.</summary>
public sealed record StoreImage
{
    /// <summary>Each row of a session.</summary>
    public required IReadOnlyList<StoredSession> Sessions { get; init; }

    /// <summary>Each entry of the revocation log, named by what it ended: two of one name are one revocation that was written twice.</summary>
    public required IReadOnlyList<string> Ends { get; init; }

    /// <summary>When it was read, by the history's clock.</summary>
    public required TimeSpan At { get; init; }
}

/// <summary>A session's row.</summary>
/// <param name="Session">Its handle.</param>
/// <param name="Attempt">What <see cref="MadeSession.Attempt"/> was, as the row tells; null: it tells nothing.</param>
public sealed record StoredSession(string Session, string? Attempt);
