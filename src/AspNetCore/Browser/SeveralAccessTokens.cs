using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>
/// For requests in which the access token's cookie came more than once, since a sibling domain or a page on another path set one too. The
/// one valid token is used.
/// </summary>
internal static class SeveralAccessTokens
{
    /// <param name="requests">The browser side.</param>
    /// <param name="context">The request.</param>
    /// <param name="toCheck">How to check each of them.</param>
    public static async Task<(TokenCheck Check, string Token)> VerifyAsync(SessionRequests requests, HttpContext context, TokenToCheck toCheck)
    {
        if (requests.Options.OlderCookieDomain is not null && !requests.Cookies.ClearedOlder(context))
        {
            return (new TokenCheck(SessionVerdict.TryRefresh, Why: "access token cookies of two domains; a refresh clears the older"), "");
        }

        var candidates = requests.Transport.AccessCandidates(context);
        (TokenCheck Check, string Token) right = default;
        List<AccessTokenContent> expired = [];
        var over = candidates.Count > 0;
        foreach (var candidate in candidates)
        {
            var check = await requests.Sessions.VerifyAsync(toCheck with { AccessToken = candidate }, context.RequestAborted);
            if (check.Verdict != SessionVerdict.Ok)
            {
                over &= check.Verdict == SessionVerdict.Unauthorised;
                if (check.Token is not null)
                {
                    expired.Add(check.Token);
                }
            }
            else if (right.Token is null || (check.Token!.SessionHandle == right.Check.Token!.SessionHandle && check.Token.IssuedAt > right.Check.Token.IssuedAt))
            {
                right = (check, candidate);
            }
            else if (check.Token.SessionHandle != right.Check.Token!.SessionHandle)
            {
                return (new TokenCheck(SessionVerdict.TryRefresh, Why: "access tokens of several sessions"), "");
            }
        }

        if (right.Token is null)
        {
            return (new TokenCheck(over ? SessionVerdict.Unauthorised : SessionVerdict.TryRefresh, expired.DistinctBy(token => token.SessionHandle).Count() == 1 ? expired[0] : null, "several access token cookies, none of them right"), "");
        }

        requests.Transport.ClearDuplicates(context);
        return right;
    }
}
