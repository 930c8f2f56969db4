using Grid.AspNetCore.Claims;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>What a request's tokens amount to.</summary>
internal enum RequestOutcome
{
    /// <summary>The request has no session.</summary>
    None,

    Session,

    /// <summary>The client should refresh and retry.</summary>
    TryRefresh,

    /// <summary>The session has ended: the client should discard its tokens.</summary>
    Ended,

    InvalidClaims,
}

/// <summary>The result of a check, kept as a feature of the request so that it is made once.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Session">Set with <c>Session</c> and <c>InvalidClaims</c>.</param>
/// <param name="Problems">Set with <c>InvalidClaims</c>.</param>
/// <param name="Why">Why the request was refused, for logs.</param>
/// <param name="ExpiredHandle">The session's handle, with <c>TryRefresh</c> if the access token is genuine but expired.</param>
internal sealed record RequestCheck(
    RequestOutcome Outcome, GridSession? Session = null, IReadOnlyList<ClaimProblem>? Problems = null, string? Why = null, string? ExpiredHandle = null)
{
    /// <summary>The refused token, if it is genuine: for events.</summary>
    public AccessTokenContent? Token { get; init; }

    /// <summary>That of the request, if it was checked; of several schemes, the one that it goes by.</summary>
    public static RequestCheck? Of(HttpContext context) => context.Features.Get<RequestCheck>() ?? context.Features.Get<SchemeChecks>()?.Current;

    /// <summary>The endpoint whose requirements were checked; null if routing had not found one yet.</summary>
    public Endpoint? For { get; set; }
}
