namespace Grid.TestKit.History;

/// <summary>A call that ends sessions. Each attempt is a call of its own: a repetition covers what was made before <em>it</em> began.</summary>
public sealed record RevokeCall
{
    /// <summary>One session. Then nothing else is looked at.</summary>
    public string? Session { get; init; }

    /// <summary>Without <see cref="Session"/>: of this app.</summary>
    public string? App { get; init; }

    /// <summary>Null: in every tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>Null: everybody's.</summary>
    public string? UserId { get; init; }

    /// <summary>Sessions that live on.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];

    /// <summary>Before the request left.</summary>
    public required TimeSpan Started { get; init; }

    /// <summary>When the answer was there; null: it failed, or nobody knows what became of it.</summary>
    public TimeSpan? Acknowledged { get; init; }

    /// <summary>Whether a session is among those named, whenever it was made.</summary>
    public bool Names(MadeSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return Session is not null
            ? Session == session.Session
            : App == session.App && (Tenant ?? session.Tenant) == session.Tenant && (UserId ?? session.UserId) == session.UserId && !Kept.Contains(session.Session);
    }
}
