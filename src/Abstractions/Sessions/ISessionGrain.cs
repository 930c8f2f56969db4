using System.Collections.Immutable;
using Grid.Revocation.Log;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.Abstractions.Sessions;

/// <summary>Owner of one session: decides the order of its writes. Key: <see cref="SessionKey"/> text.</summary>
/// <remarks>Tokens are minted outside: callers bring a candidate and use it only if the answer says so.</remarks>
[Alias("grid.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Stores a new session under this grain's key.</summary>
    /// <returns><c>Ok</c>; <c>NotFound</c> if the handle was used or revoked before, or its order is void; <c>Unavailable</c>.</returns>
    [Alias("create")]
    Task<SessionResult> CreateAsync(NewSession session, CancellationToken cancellationToken);

    /// <summary>Presents a refresh token; see <see cref="RefreshResult"/>.</summary>
    /// <remarks>
    /// At most one write. Calls with the same token that overlap in time get the same answer.
    /// Source: <c>docs/protocol/core.md</c>, "Refresh".
    /// </remarks>
    [Alias("refresh")]
    Task<RefreshResult> RefreshAsync(RefreshRequest request, CancellationToken cancellationToken);

    /// <summary>First use of a child token's access token by an older client: makes the child current.</summary>
    /// <remarks>Source: <c>docs/protocol/core.md</c>, "Verify".</remarks>
    [Alias("promote")]
    Task<PromoteResult> PromoteAsync(PromoteRequest request, CancellationToken cancellationToken);

    /// <summary>Replaces payload and/or data; null leaves a part as it is.</summary>
    /// <returns>The session after the change; <c>NotFound</c> if missing or expired; <c>Unavailable</c>.</returns>
    [Alias("update")]
    Task<SessionResult> UpdateAsync(string? payloadJson, string? dataJson, CancellationToken cancellationToken);

    /// <summary>Changes the payload that is stored now: of two changes at the same time both take effect.</summary>
    /// <param name="changesJson">A JSON object.</param>
    /// <param name="replaces">Whether it takes the payload's place, but for what the front made; else it is merged into it.</param>
    /// <param name="cancellationToken">Not used.</param>
    /// <returns>The session after the change; <c>NotFound</c> if missing or expired; <c>TooLarge</c>; <c>Unavailable</c>.</returns>
    [Alias("change-payload")]
    Task<SessionResult> ChangePayloadAsync(string changesJson, bool replaces, CancellationToken cancellationToken);
}

/// <summary>A session to store.</summary>
[GenerateSerializer, Immutable, Alias("grid.new-session")]
public sealed record NewSession
{
    [Id(0)] public required string UserId { get; init; }

    /// <summary>Stored hash of its first refresh token.</summary>
    [Id(1)] public required TokenHash RefreshTokenHash { get; init; }

    [Id(2)] public required string PayloadJson { get; init; }

    [Id(3)] public required string DataJson { get; init; }

    [Id(4)] public required bool UseDynamicKey { get; init; }

    [Id(5)] public required DateTimeOffset CreatedAt { get; init; }

    [Id(6)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Its handle was issued in advance: it is created only with the permit that <see cref="ISessionOrders.OrderAsync"/> left.</summary>
    [Id(7)] public bool IsOrdered { get; init; }

    /// <summary>As in <see cref="SessionRecord"/>.</summary>
    [Id(8)] public string? RecipeUserId { get; init; }
}

/// <summary>Outcomes shared by the simple calls.</summary>
public enum SessionOutcome
{
    Ok = 0,

    /// <summary>Missing, expired or revoked.</summary>
    NotFound = 1,

    /// <summary>The store is unavailable and the outcome unknown: answer 503.</summary>
    Unavailable = 2,

    /// <summary>No access token could carry the payload; nothing was written.</summary>
    TooLarge = 3,
}

/// <summary>Answer of the simple calls.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Session">The session after the call; set with <c>Ok</c>.</param>
[GenerateSerializer, Immutable, Alias("grid.session-result")]
public sealed record SessionResult(
    [property: Id(0)] SessionOutcome Outcome,
    [property: Id(1)] SessionSnapshot? Session = null);

/// <summary>A presented refresh token, already authenticated by its MAC, and the token that would replace it.</summary>
[GenerateSerializer, Immutable, Alias("grid.refresh-request")]
public sealed record RefreshRequest
{
    /// <summary>Stored hash of the presented token.</summary>
    [Id(0)] public required TokenHash Presented { get; init; }

    /// <summary>Stored hash of the token that the presented one was refreshed from, if it says so.</summary>
    [Id(1)] public required TokenHash? PresentedParent { get; init; }

    /// <summary>The whole candidate token: overlapping calls with the same token must get the same one.</summary>
    [Id(2)] public required string CandidateToken { get; init; }

    /// <summary>Anti-CSRF value inside the candidate, if any.</summary>
    [Id(3)] public required string? CandidateAntiCsrf { get; init; }

    /// <summary>Rules of CDI ≤ 5.4 (child first, promoted on use) instead of ≥ 5.6 (rotate at once).</summary>
    [Id(4)] public required bool OlderRules { get; init; }

    /// <summary>Key kind asked for; null keeps the session's.</summary>
    [Id(5)] public required bool? UseDynamicKey { get; init; }

    [Id(6)] public required TimeSpan RefreshTokenValidity { get; init; }

    [Id(7)] public required TimeSpan Grace { get; init; }

    /// <summary>
    /// Newer rules: for how long after a rotation the same token gets that rotation's answer again instead of displacing it.
    /// Zero: not at all, as the protocol has it. Only while the answer's token is still current (docs/decisions/0005).
    /// </summary>
    [Id(8)] public TimeSpan JoinWithin { get; init; }

    /// <summary>Format of the access token that goes with the refresh token; 0 (older callers): nothing is checked.</summary>
    [Id(9)] public AccessTokenVersion TokenVersion { get; init; }

    /// <summary>Characters that the access token may have.</summary>
    [Id(10)] public int MaxTokenLength { get; init; }

    /// <summary>Longest lifetime of the session since its creation; zero (older callers): unlimited.</summary>
    [Id(11)] public TimeSpan MaxLifetime { get; init; }
}

/// <summary>Answer to a refresh.</summary>
[GenerateSerializer, Immutable, Alias("grid.refresh-result")]
public sealed record RefreshResult
{
    [Id(0)] public required RefreshVerdict Verdict { get; init; }

    /// <summary>The session after the refresh; with <c>Reuse</c>, as it was before it was revoked.</summary>
    [Id(1)] public SessionSnapshot? Session { get; init; }

    /// <summary>The refresh token to hand out: the candidate of whichever overlapping call won.</summary>
    [Id(2)] public string? RefreshToken { get; init; }

    [Id(3)] public string? AntiCsrf { get; init; }

    [Id(4)] public ReuseKind Reuse { get; init; }

    /// <summary>With <c>Reuse</c> by the newer rules, and with <c>NotFound</c> for a session past its longest lifetime: its revocation, to be confirmed before the caller is answered.</summary>
    [Id(5)] public ImmutableArray<RevocationEntry> Ended { get; init; } = [];

    /// <summary>With <c>TokenTooLong</c>: characters that the access token would have.</summary>
    [Id(6)] public int TokenLength { get; init; }
}

/// <summary>The refresh token that an access token was minted with, and that one's parent (stored hashes).</summary>
[GenerateSerializer, Immutable, Alias("grid.promote-request")]
public sealed record PromoteRequest
{
    [Id(0)] public required TokenHash Token { get; init; }

    /// <summary>Null if the access token names no parent: then the call only tells whether <see cref="Token"/> is current.</summary>
    [Id(1)] public required TokenHash? Parent { get; init; }

    [Id(2)] public required TimeSpan RefreshTokenValidity { get; init; }

    /// <summary>As in <see cref="RefreshRequest"/>.</summary>
    [Id(3)] public TimeSpan MaxLifetime { get; init; }
}

/// <summary>Answer to a promotion.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Session">The session after the call; set with <c>Ok</c>.</param>
/// <param name="IsCurrent">Whether the token is the session's current one now.</param>
[GenerateSerializer, Immutable, Alias("grid.promote-result")]
public sealed record PromoteResult(
    [property: Id(0)] SessionOutcome Outcome,
    [property: Id(1)] SessionSnapshot? Session = null,
    [property: Id(2)] bool IsCurrent = false)
{
    /// <summary>As in <see cref="RefreshResult"/>.</summary>
    [Id(3)] public ImmutableArray<RevocationEntry> Ended { get; init; } = [];
}
