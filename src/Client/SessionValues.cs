using Grid.Revocation.Acknowledgement;
using Grid.Tokens.Access;

namespace Grid.Client;

/// <summary>A session to be created.</summary>
public sealed record NewGridSession
{
    /// <summary>At most 128 characters, kept to the letter.</summary>
    public required string UserId { get; init; }

    /// <summary>In which tenant. Default <c>public</c>.</summary>
    public string TenantId { get; init; } = GridClientDefaults.TenantId;

    /// <summary>Claims for the access token: a JSON object, 20,480 bytes at most; in cookie mode about 2,500. Browsers can read it.</summary>
    public string PayloadJson { get; init; } = "{}";

    /// <summary>Data for back ends only: a JSON object.</summary>
    public string DataJson { get; init; } = "{}";

    /// <summary>Whether to bind an anti-CSRF token.</summary>
    public bool WithAntiCsrf { get; init; }

    /// <summary>Rotating or static signing key.</summary>
    public bool UseDynamicSigningKey { get; init; } = true;
}

/// <summary>A session's tokens.</summary>
public sealed record GridTokens
{
    /// <summary>The access token: short-lived, goes with each request. Whoever has it is the user until it expires or the session is revoked.</summary>
    public required string Access { get; init; }

    /// <summary>When <see cref="Access"/> expires.</summary>
    public required DateTimeOffset AccessExpiresAt { get; init; }

    /// <summary>The refresh token: a secret that is exchanged for new tokens once.</summary>
    public required string Refresh { get; init; }

    /// <summary>When <see cref="Refresh"/> expires, and the session with it.</summary>
    public required DateTimeOffset RefreshExpiresAt { get; init; }

    /// <summary>Only if asked for.</summary>
    public string? AntiCsrf { get; init; }

    /// <summary>Not the tokens.</summary>
    public override string ToString() => "[session tokens]";
}

/// <summary>A session that was created.</summary>
/// <param name="Handle">Public id of the session, not a secret.</param>
/// <param name="UserId">Whose session it is.</param>
/// <param name="TenantId">In which tenant.</param>
/// <param name="PayloadJson">The claims in its access token, one JSON object.</param>
/// <param name="Tokens">To be handed to the client.</param>
public sealed record CreatedGridSession(string Handle, string UserId, string TenantId, string PayloadJson, GridTokens Tokens);

/// <summary>Why a session was ended, for the log.</summary>
public enum GridRevocationReason
{
    /// <summary>Somebody decided it.</summary>
    Requested,

    /// <summary>The user signed out.</summary>
    SignedOut,

    /// <summary>Another session took its place.</summary>
    Replaced,
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

/// <summary>What a check came to.</summary>
public enum SessionVerdict
{
    /// <summary>The token is good.</summary>
    Ok,

    /// <summary>The access token will not do, the refresh token might.</summary>
    TryRefresh,

    /// <summary>There is no such session.</summary>
    Unauthorised,

    /// <summary>A retired refresh token was presented: the session is over.</summary>
    TokenTheft,
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
/// <param name="UseDynamicSigningKey">Rotating or static signing key.</param>
public readonly record struct TokenToRefresh(string RefreshToken, bool EnableAntiCsrf, string? AntiCsrf, bool UseDynamicSigningKey)
{
    /// <summary>Tabs of one browser that present the same token within this time get the same answer. Longer than a page takes to start, shorter than a thief.</summary>
    public static TimeSpan JoinWithin { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Characters that the new access token may have; 0: as many as Grid takes. Otherwise refused with <see cref="GridFailure.TokenTooLong"/>, and the refresh token stays good.</summary>
    public int MaxAccessTokenLength { get; init; }

    /// <summary>More of them, where a browser sent several: the only right one is exchanged. At most seven; null for none.</summary>
    public IReadOnlyList<string>? Others { get; init; }

    /// <summary>Not the token.</summary>
    public override string ToString() => "[refresh token]";
}

/// <summary>Answer to a refresh.</summary>
/// <param name="Verdict">What it came to.</param>
/// <param name="Handle">The session's; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</param>
/// <param name="UserId">Whose session it is; with <see cref="SessionVerdict.Ok"/> and <see cref="SessionVerdict.TokenTheft"/>.</param>
/// <param name="TenantId">In which tenant; with <see cref="SessionVerdict.Ok"/>.</param>
/// <param name="Tokens">The new ones; with <see cref="SessionVerdict.Ok"/>.</param>
public readonly record struct TokenRefresh(SessionVerdict Verdict, string? Handle = null, string? UserId = null, string? TenantId = null, GridTokens? Tokens = null);

/// <summary>A new access token after a change of payload.</summary>
/// <param name="PayloadJson">As stored now.</param>
/// <param name="AccessToken">Null if the presented one had expired: the change comes with the next refresh.</param>
/// <param name="ExpiresAt">Of the new token.</param>
public sealed record RegeneratedToken(string PayloadJson, string? AccessToken, DateTimeOffset ExpiresAt)
{
    /// <summary>Not the token.</summary>
    public override string ToString() => "[access token]";
}

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
