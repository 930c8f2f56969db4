namespace Grid.Tokens.Refresh;

/// <summary>Answer of <see cref="RefreshRotation.DecideRefresh"/>.</summary>
internal sealed record RefreshDecision
{
    public required RefreshVerdict Verdict { get; init; }

    /// <summary>The chain to write; null if it is unchanged.</summary>
    public RefreshChain? Next { get; init; }

    /// <summary>Whether the session's validity is extended.</summary>
    public bool ExtendsExpiry { get; init; }

    /// <summary>Set with <see cref="RefreshVerdict.Reuse"/>.</summary>
    public ReuseKind Reuse { get; init; }
}

/// <summary>Answer of <see cref="RefreshRotation.DecidePromote"/>.</summary>
/// <param name="IsCurrent">Whether the token is current, after the promotion if there is one.</param>
/// <param name="Next">The chain to write; null if nothing is promoted. A promotion extends the session's validity.</param>
internal sealed record PromoteDecision(bool IsCurrent, RefreshChain? Next = null);
