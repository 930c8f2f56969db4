using Grid.Revocation.Acknowledgement;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.Client;

/// <summary>A session that has been created.</summary>
/// <param name="Handle">The session's public id; not a secret.</param>
/// <param name="UserId">The user it belongs to.</param>
/// <param name="TenantId">The tenant it belongs to.</param>
/// <param name="PayloadJson">The claims in its access token, one JSON object.</param>
/// <param name="Tokens">The tokens to give to the client.</param>
public sealed record CreatedSession(string Handle, string UserId, string TenantId, string PayloadJson, SessionTokens Tokens)
{
    /// <summary>The account by which the user signed in: <see cref="UserId"/>, unless accounts are linked in the core behind Grid.</summary>
    public string RecipeUserId
    {
        get => field ?? UserId;
        init => field = value == UserId ? null : value;
    }
}

/// <summary>Why a session is revoked, for the log. Numbers are on the wire.</summary>
public enum GridRevocationReason
{
    /// <summary>At a back end's request.</summary>
    Requested = 0,

    /// <summary>The user signed out.</summary>
    SignedOut = 1,

    /// <summary>Another session replaced it.</summary>
    Replaced = 2,
}

/// <summary>An acknowledged revocation: no request that starts from now on is accepted for the sessions that it ended.</summary>
/// <param name="Handles">The sessions that were active and have been revoked.</param>
/// <param name="Receipt">Which processes confirmed it, and which were waited out.</param>
public sealed record GridRevocation(IReadOnlyList<string> Handles, RevocationReceipt Receipt);

/// <summary>An access token and how to check it.</summary>
/// <param name="AccessToken">The token as presented.</param>
/// <param name="CheckAntiCsrf">Whether <paramref name="AntiCsrf"/> must match the one that the token is bound to.</param>
/// <param name="AntiCsrf">The <c>anti-csrf</c> header; null if there was none.</param>
/// <param name="CheckSession">Whether the session must still be active.</param>
public readonly record struct TokenToCheck(string AccessToken, bool CheckAntiCsrf, string? AntiCsrf, bool CheckSession)
{
    /// <summary>Leaves out the token.</summary>
    public override string ToString() => "[access token]";
}

/// <summary>What to make of a token that was presented. Numbers are on the wire.</summary>
public enum SessionVerdict
{
    /// <summary>The token is valid.</summary>
    Ok = 0,

    /// <summary>The access token is not acceptable; refreshing may help.</summary>
    TryRefresh = 1,

    /// <summary>The session does not exist or has ended.</summary>
    Unauthorised = 2,

    /// <summary>A refresh token was reused, so it may have been stolen: the session has been revoked.</summary>
    TokenTheft = 3,
}

/// <summary>The result of a check.</summary>
/// <param name="Verdict"><c>Ok</c>, <c>TryRefresh</c> or <c>Unauthorised</c>.</param>
/// <param name="Token">The token's content; with <see cref="SessionVerdict.Ok"/>, and with <see cref="SessionVerdict.TryRefresh"/> if it is
/// genuine but expired.</param>
/// <param name="Why">Why it was refused, for logs.</param>
public readonly record struct TokenCheck(SessionVerdict Verdict, AccessTokenContent? Token = null, string? Why = null);

/// <summary>A refresh token and how to exchange it.</summary>
/// <param name="RefreshToken">The token as presented.</param>
/// <param name="EnableAntiCsrf">Whether to check <paramref name="AntiCsrf"/> and bind the new access token to a new one.</param>
/// <param name="AntiCsrf">The <c>anti-csrf</c> header; null if there was none.</param>
/// <param name="UseDynamicSigningKey">Whether a rotating key signs the new access token; otherwise the app's static key.</param>
public readonly record struct TokenToRefresh(string RefreshToken, bool EnableAntiCsrf, string? AntiCsrf, bool UseDynamicSigningKey)
{
    /// <summary>
    /// Requests that present the same token within this time, such as those of a browser's tabs, get the same answer instead of rotating
    /// again. Default 2 s; at most 5 s; zero turns it off.
    /// </summary>
    public TimeSpan JoinWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The longest access token to accept, in characters; 0 for Grid's own limit. A longer one is refused with
    /// <see cref="GridFailure.TokenTooLong"/>, and the refresh token stays valid.
    /// </summary>
    public int MaxAccessTokenLength { get; init; }

    /// <summary>
    /// Further candidates, if a browser sent several cookies of that name: the one valid token among them is exchanged. At most seven; null
    /// for none.
    /// </summary>
    public IReadOnlyList<string>? Others { get; init; }

    /// <summary>Leaves out the token.</summary>
    public override string ToString() => "[refresh token]";
}

/// <summary>The result of a refresh.</summary>
public sealed record TokenRefresh
{
    /// <summary><c>Ok</c>, <c>Unauthorised</c> or <c>TokenTheft</c>.</summary>
    public required SessionVerdict Verdict { get; init; }

    /// <summary>The session's handle; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</summary>
    public string? Handle { get; init; }

    /// <summary>The user it belongs to; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</summary>
    public string? UserId { get; init; }

    /// <summary>The account by which the user signed in: <see cref="UserId"/>, unless accounts are linked in the core behind Grid. With the same verdicts.</summary>
    public string? RecipeUserId
    {
        get => field ?? UserId;
        init => field = value == UserId ? null : value;
    }

    /// <summary>The tenant it belongs to; with <see cref="SessionVerdict.Ok"/>.</summary>
    public string? TenantId { get; init; }

    /// <summary>The claims in the new access token, one JSON object; with <see cref="SessionVerdict.Ok"/>.</summary>
    public string? PayloadJson { get; init; }

    /// <summary>The new tokens; with <see cref="SessionVerdict.Ok"/>.</summary>
    public SessionTokens? Tokens { get; init; }

    /// <summary>Which kind of retired token was presented; <c>None</c> if it was not one.</summary>
    public ReuseKind Reuse { get; init; }

    /// <summary>Why it was refused, for logs.</summary>
    public string? Why { get; init; }
}

/// <summary>A session whose payload was replaced.</summary>
/// <param name="Handle">The session's public id; not a secret.</param>
/// <param name="UserId">The user it belongs to.</param>
/// <param name="TenantId">The tenant it belongs to.</param>
/// <param name="PayloadJson">The claims as they are stored now, one JSON object.</param>
/// <param name="AccessToken">A token that carries them; null if the presented one had expired, in which case the next refresh delivers
/// them.</param>
public sealed record RegeneratedSession(string Handle, string UserId, string TenantId, string PayloadJson, IssuedToken? AccessToken)
{
    /// <summary>The account by which the user signed in: <see cref="UserId"/>, unless accounts are linked in the core behind Grid.</summary>
    public string RecipeUserId
    {
        get => field ?? UserId;
        init => field = value == UserId ? null : value;
    }
}

/// <summary>What is stored about a session.</summary>
public sealed record SessionInformation
{
    /// <summary>The session's public id; not a secret.</summary>
    public required string Handle { get; init; }

    /// <summary>The user it belongs to.</summary>
    public required string UserId { get; init; }

    /// <summary>The account by which the user signed in: <see cref="UserId"/>, unless accounts are linked in the core behind Grid.</summary>
    public string RecipeUserId
    {
        get => field ?? UserId;
        init => field = value == UserId ? null : value;
    }

    /// <summary>The tenant it belongs to.</summary>
    public required string TenantId { get; init; }

    /// <summary>The claims that the next access token will carry, one JSON object.</summary>
    public required string PayloadJson { get; init; }

    /// <summary>The data that only back ends see, one JSON object.</summary>
    public required string DataJson { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it expires unless it is refreshed first.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A JWKS document.</summary>
/// <param name="Json">The document, in UTF-8.</param>
/// <param name="MaxAge">How long it may be cached.</param>
public sealed record PublishedKeys(ReadOnlyMemory<byte> Json, TimeSpan MaxAge);
