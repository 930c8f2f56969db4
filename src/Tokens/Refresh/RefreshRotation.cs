namespace Grid.Tokens.Refresh;

/// <summary>The rotation rules, old and new. Pure; all hashes are stored hashes (<see cref="TokenHash.HashOfHex"/>).</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Verify" and "Refresh".</remarks>
internal static class RefreshRotation
{
    /// <summary>Decides what presenting a refresh token does.</summary>
    /// <param name="chain">The session's chain now.</param>
    /// <param name="presented">The token.</param>
    /// <param name="presentedParent">The token that it was refreshed from, if any.</param>
    /// <param name="candidate">The token that would take its place.</param>
    /// <param name="olderRules">CDI ≤ 5.4 instead of ≥ 5.6.</param>
    /// <param name="grace">How long the previous token still rotates (newer rules only).</param>
    /// <param name="now">The present.</param>
    public static RefreshDecision DecideRefresh(
        RefreshChain chain, TokenHash presented, TokenHash? presentedParent, TokenHash candidate, bool olderRules, TimeSpan grace, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(chain);
        var isCurrent = presented == chain.Current;
        var isChildOfCurrent = !isCurrent && presentedParent == chain.Current;
        if (olderRules)
        {
            return isCurrent ? new RefreshDecision { Verdict = RefreshVerdict.Child }
                : isChildOfCurrent ? new RefreshDecision { Verdict = RefreshVerdict.ChildAfterPromotion, Next = Replace(chain, presented, now), ExtendsExpiry = true }
                : Reuse(chain, presented, presentedParent);
        }

        if (isCurrent || isChildOfCurrent)
        {
            return new RefreshDecision { Verdict = RefreshVerdict.Rotated, Next = new RefreshChain(candidate, presented, now), ExtendsExpiry = true };
        }

        return chain is { Previous: { } previous, RotatedAt: { } rotatedAt } && presented == previous && now <= rotatedAt + grace
            ? new RefreshDecision { Verdict = RefreshVerdict.RotatedWithinGrace, Next = chain with { Current = candidate } }
            : Reuse(chain, presented, presentedParent);
    }

    /// <summary>Decides whether the first use of an access token makes its refresh token current (older rules).</summary>
    /// <param name="chain">The session's chain now.</param>
    /// <param name="token">The refresh token that the access token was minted with.</param>
    /// <param name="parent">Its parent; null = only tell whether it is current.</param>
    /// <param name="now">The present.</param>
    public static PromoteDecision DecidePromote(RefreshChain chain, TokenHash token, TokenHash? parent, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return parent == chain.Current
            ? new PromoteDecision(true, Replace(chain, token, now))
            : new PromoteDecision(token == chain.Current);
    }

    /// <summary>Whether an access token's refresh token is on the current branch (newer rules of "Verify").</summary>
    public static bool IsLive(RefreshChain chain, TokenHash token, TokenHash? parent)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return IsCurrentOrPrevious(chain, token) || (parent is { } known && IsCurrentOrPrevious(chain, known));
    }

    private static bool IsCurrentOrPrevious(RefreshChain chain, TokenHash token) => token == chain.Current || token == chain.Previous;

    private static RefreshChain Replace(RefreshChain chain, TokenHash current, DateTimeOffset now) => new(current, chain.Current, now);

    private static RefreshDecision Reuse(RefreshChain chain, TokenHash presented, TokenHash? presentedParent) => new()
    {
        Verdict = RefreshVerdict.Reuse,
        Reuse = presented == chain.Previous ? ReuseKind.RecentPrevious
            : presentedParent is not null && presentedParent == chain.Previous ? ReuseKind.OrphanedBranch
            : ReuseKind.StaleLineage,
    };
}
