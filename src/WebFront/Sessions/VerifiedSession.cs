using Grid.Client;
using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>The result of a verification.</summary>
/// <param name="Check">The result for the access token; <see cref="TokenCheck.Why"/> is in the protocol's words.</param>
public readonly record struct VerifiedSession(TokenCheck Check)
{
    /// <summary>Older rules: a new token that the client must use from now on.</summary>
    public IssuedToken? NewAccessToken { get; init; }

    /// <summary>The claims in <see cref="NewAccessToken"/>.</summary>
    public string? NewPayloadJson { get; init; }

    /// <summary>Newer rules with a database check: whether the stored payload differs from the token's.</summary>
    public bool? PayloadUpdateAvailable { get; init; }

    internal static VerifiedSession Of(AccessTokenContent token) => new(new TokenCheck(SessionVerdict.Ok, token));

    internal static VerifiedSession Ended() => Unauthorised("Either the session has ended or has been blacklisted");

    internal static VerifiedSession TryRefresh(string message, AccessTokenContent? token = null) => new(new TokenCheck(SessionVerdict.TryRefresh, token, message));

    internal static VerifiedSession Unauthorised(string message) => new(new TokenCheck(SessionVerdict.Unauthorised, Why: message));
}
