using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>What a request's tokens came to.</summary>
internal enum RequestOutcome
{
    /// <summary>It brought no session.</summary>
    None,

    Session,

    /// <summary>The client shall refresh and come again.</summary>
    TryRefresh,

    /// <summary>Its session is over: the client shall forget its tokens.</summary>
    Ended,

    InvalidClaims,
}

/// <summary>Outcome of a check; a feature of the request's context, so that it is made once.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Session">Set with <c>Session</c> and <c>InvalidClaims</c>.</param>
/// <param name="Problems">Set with <c>InvalidClaims</c>.</param>
/// <param name="Why">For logs.</param>
/// <param name="ExpiredHandle">Set with <c>TryRefresh</c> if all that is wrong is the access token's age: whose session it is.</param>
internal sealed record RequestCheck(
    RequestOutcome Outcome, GridSession? Session = null, IReadOnlyList<ClaimProblem>? Problems = null, string? Why = null, string? ExpiredHandle = null)
{
    /// <summary>The endpoint whose wishes were known; null if there was none yet.</summary>
    public Endpoint? For { get; set; }
}
