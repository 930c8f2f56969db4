using Grid.Revocation.Acknowledgement;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.Client;

/// <summary>A session that was created.</summary>
/// <param name="Handle">Public id of the session, not a secret.</param>
/// <param name="UserId">Whose session it is.</param>
/// <param name="TenantId">In which tenant.</param>
/// <param name="PayloadJson">The claims in its access token, one JSON object.</param>
/// <param name="Tokens">To be handed to the client.</param>
public sealed record CreatedSession(string Handle, string UserId, string TenantId, string PayloadJson, SessionTokens Tokens);

/// <summary>Why a session was ended, for the log. Numbers are on the wire.</summary>
public enum GridRevocationReason
{
    /// <summary>Somebody decided it.</summary>
    Requested = 0,

    /// <summary>The user signed out.</summary>
    SignedOut = 1,

    /// <summary>Another session took its place.</summary>
    Replaced = 2,
}

/// <summary>A revocation that is acknowledged: no request that starts from now on is accepted for what it ended.</summary>
/// <param name="Handles">Sessions that lived when it came.</param>
/// <param name="Receipt">What stands behind it.</param>
public sealed record GridRevocation(IReadOnlyList<string> Handles, RevocationReceipt Receipt);

/// <summary>An access token and how to check it.</summary>
/// <param name="AccessToken">The text that a client presented.</param>
/// <param name="CheckAntiCsrf">Whether <paramref name="AntiCsrf"/> has to be the one that the token is bound to.</param>
/// <param name="AntiCsrf">What came in the <c>anti-csrf</c> header; null if nothing did.</param>
/// <param name="CheckSession">Ask whether the session still lives.</param>
public readonly record struct TokenToCheck(string AccessToken, bool CheckAntiCsrf, string? AntiCsrf, bool CheckSession)
{
    /// <summary>Not the token.</summary>
    public override string ToString() => "[access token]";
}

/// <summary>What a check came to. Numbers are on the wire.</summary>
public enum SessionVerdict
{
    /// <summary>The token is good.</summary>
    Ok = 0,

    /// <summary>The access token will not do, the refresh token might.</summary>
    TryRefresh = 1,

    /// <summary>There is no such session.</summary>
    Unauthorised = 2,

    /// <summary>A retired refresh token was presented: the session is over.</summary>
    TokenTheft = 3,
}

/// <summary>Answer to a check.</summary>
/// <param name="Verdict">Whether, and what to do.</param>
/// <param name="Token">Set with <see cref="SessionVerdict.Ok"/>, and with <see cref="SessionVerdict.TryRefresh"/> if it has only expired.</param>
/// <param name="Why">For logs.</param>
public readonly record struct TokenCheck(SessionVerdict Verdict, AccessTokenContent? Token = null, string? Why = null);

/// <summary>A refresh token and how to exchange it.</summary>
/// <param name="RefreshToken">The text that a client presented.</param>
/// <param name="EnableAntiCsrf">Whether to check <paramref name="AntiCsrf"/> and to bind the new access token to a new one.</param>
/// <param name="AntiCsrf">What came in the <c>anti-csrf</c> header; null if nothing did.</param>
/// <param name="UseDynamicSigningKey">Whether a rotating key signs the new access token; otherwise the app's static key.</param>
public readonly record struct TokenToRefresh(string RefreshToken, bool EnableAntiCsrf, string? AntiCsrf, bool UseDynamicSigningKey)
{
    /// <summary>
    /// Tabs of one browser that present the same token within this time get the same answer. Default 2 s: longer than a page takes to
    /// start, shorter than a thief. Zero: each rotates. At most 5 s.
    /// </summary>
    public TimeSpan JoinWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Characters that the new access token may have; 0: as many as Grid takes. Otherwise refused with <see cref="GridFailure.TokenTooLong"/>, and the refresh token stays good.</summary>
    public int MaxAccessTokenLength { get; init; }

    /// <summary>More of them, where a browser sent several: the only right one is exchanged. At most seven; null for none.</summary>
    public IReadOnlyList<string>? Others { get; init; }

    /// <summary>Not the token.</summary>
    public override string ToString() => "[refresh token]";
}

/// <summary>Answer to a refresh.</summary>
public sealed record TokenRefresh
{
    /// <summary><c>Ok</c>, <c>Unauthorised</c> or <c>TokenTheft</c>.</summary>
    public required SessionVerdict Verdict { get; init; }

    /// <summary>The session's handle; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</summary>
    public string? Handle { get; init; }

    /// <summary>The user it belongs to; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</summary>
    public string? UserId { get; init; }

    /// <summary>The tenant it belongs to; with <see cref="SessionVerdict.Ok"/>.</summary>
    public string? TenantId { get; init; }

    /// <summary>The claims in the new access token, one JSON object; with <see cref="SessionVerdict.Ok"/>.</summary>
    public string? PayloadJson { get; init; }

    /// <summary>The new tokens; with <see cref="SessionVerdict.Ok"/>.</summary>
    public SessionTokens? Tokens { get; init; }

    /// <summary>Which kind of retired token was presented; <c>None</c> if it was not one.</summary>
    public ReuseKind Reuse { get; init; }

    /// <summary>For logs: why it was refused.</summary>
    public string? Why { get; init; }
}

/// <summary>A session whose payload was replaced.</summary>
/// <param name="Handle">Public id of the session, not a secret.</param>
/// <param name="UserId">The user it belongs to.</param>
/// <param name="TenantId">The tenant it belongs to.</param>
/// <param name="PayloadJson">The claims as they are stored now, one JSON object.</param>
/// <param name="AccessToken">A token that carries them; null if the presented one had expired: the change comes with the next refresh.</param>
public sealed record RegeneratedSession(string Handle, string UserId, string TenantId, string PayloadJson, IssuedToken? AccessToken);

/// <summary>What is stored of a session.</summary>
public sealed record SessionInformation
{
    /// <summary>Public id of the session, not a secret.</summary>
    public required string Handle { get; init; }

    /// <summary>Whose session it is.</summary>
    public required string UserId { get; init; }

    /// <summary>In which tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>Claims of the next access token.</summary>
    public required string PayloadJson { get; init; }

    /// <summary>Data for back ends only.</summary>
    public required string DataJson { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends unless it is refreshed before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A JWKS document.</summary>
/// <param name="Json">UTF-8.</param>
/// <param name="MaxAge">How long it may be cached.</param>
public sealed record PublishedKeys(ReadOnlyMemory<byte> Json, TimeSpan MaxAge);
