using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;

namespace Grid.WebFront.Sessions;

/// <summary>A created session.</summary>
public sealed record CreatedSession(SessionSnapshot Session, SessionTokens Tokens);

/// <summary>Answer to a verification.</summary>
public sealed record VerifiedSession
{
    public required SessionVerdict Verdict { get; init; }

    /// <summary>Why not, in the protocol's words.</summary>
    public string? Message { get; init; }

    public string? Handle { get; init; }

    public string? UserId { get; init; }

    public string? TenantId { get; init; }

    /// <summary>The user's claims as the client now holds them.</summary>
    public string? PayloadJson { get; init; }

    /// <summary>Set with <c>Ok</c>, and with <c>TryRefresh</c> if it has only expired: what the presented token says.</summary>
    public AccessTokenContent? Token { get; init; }

    /// <summary>Older rules: a new token that the client must take over.</summary>
    public IssuedToken? NewAccessToken { get; init; }

    /// <summary>Newer rules with a database check: whether the stored payload differs from the token's.</summary>
    public bool? PayloadUpdateAvailable { get; init; }

    internal static VerifiedSession Of(AccessTokenContent token) => new()
    {
        Verdict = SessionVerdict.Ok,
        Handle = token.SessionHandle,
        UserId = token.UserId,
        TenantId = token.TenantId,
        PayloadJson = token.PayloadJson,
        Token = token,
    };

    internal static VerifiedSession Ended() => Unauthorised("Either the session has ended or has been blacklisted");

    internal static VerifiedSession TryRefresh(string message) => new() { Verdict = SessionVerdict.TryRefresh, Message = message };

    internal static VerifiedSession Unauthorised(string message) => new() { Verdict = SessionVerdict.Unauthorised, Message = message };
}

/// <summary>Answer to a refresh.</summary>
public sealed record RefreshedSession
{
    public required SessionVerdict Verdict { get; init; }

    public string? Message { get; init; }

    /// <summary>Set with <c>Ok</c> and <c>TokenTheft</c>.</summary>
    public SessionSnapshot? Session { get; init; }

    /// <summary>Set with <c>Ok</c>.</summary>
    public SessionTokens? Tokens { get; init; }

    public ReuseKind Reuse { get; init; }

    internal static RefreshedSession Unauthorised(string message) => new() { Verdict = SessionVerdict.Unauthorised, Message = message };
}

/// <summary>A session that a browser may fetch.</summary>
/// <param name="Ticket">What it presents for it.</param>
/// <param name="ExpiresAt">When the ticket expires.</param>
/// <param name="Handle">Of the session, once it is made.</param>
public sealed record OrderedSession(string Ticket, DateTimeOffset ExpiresAt, SessionHandle Handle)
{
    /// <summary>Not the ticket.</summary>
    public override string ToString() => "[ticket]";
}

/// <summary>Answer to a regeneration.</summary>
/// <param name="Session">Null if there is no such session.</param>
/// <param name="Token">Null if the presented token had expired.</param>
public sealed record RegeneratedSession(SessionSnapshot? Session, IssuedToken? Token);
