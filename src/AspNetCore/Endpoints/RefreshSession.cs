using System.Text.Json.Nodes;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Endpoints;

/// <summary><c>POST /session/refresh</c>: exchanges the request's refresh token.</summary>
internal static class RefreshSession
{
    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        if (ClearsOlderCookies(context, requests))
        {
            // 200, or the client would consider the session lost. The next refresh will have only one cookie.
            await FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["message"] = "Cookies of the older cookie domain were cleared; the next refresh goes on with the session." });
            return;
        }

        var refreshed = await RefreshAsync(context, requests);
        if (refreshed.Verdict == SessionVerdict.Ok)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentLength = 0;
            return;
        }

        // After a theft the session has already been revoked.
        requests.Transport.ClearEverywhere(context);
        if (refreshed.Verdict == SessionVerdict.TokenTheft)
        {
            context.Response.StatusCode = requests.Options.SessionExpiredStatusCode;
            var theft = new GridTokenTheftContext(context, refreshed.Handle, refreshed.UserId, refreshed.Reuse);
            await EventAnswers.Find(context, requests).TokenTheft(theft);
            if (theft.IsHandled || context.Response.HasStarted)
            {
                return;
            }
        }

        await FrontAnswers.MessageAsync(context, requests.Options.SessionExpiredStatusCode, refreshed.Verdict == SessionVerdict.TokenTheft ? "token theft detected" : "unauthorised");
    }

    // The cookies and headers of the response match the verdict.
    private static async Task<TokenRefresh> RefreshAsync(HttpContext context, SessionRequests requests)
    {
        var (transport, options) = (requests.Transport, requests.Options);
        var presented = transport.FindRefresh(context, out var otherToo);

        // If several cookies came, Grid finds out which of them is ours.
        IReadOnlyList<string> candidates = presented.Several ? transport.RefreshCandidates(context) : [];
        var token = !presented.Several ? presented.Token : candidates is [var first, ..] ? first : null;
        if (token is null)
        {
            requests.Cookies.ClearLegacy(context);
            return new TokenRefresh { Verdict = SessionVerdict.Unauthorised };
        }

        var mode = presented.Transfer == TokenTransfer.Cookie ? requests.Site.AntiCsrf(context) : AntiCsrfMode.None;
        if (mode == AntiCsrfMode.ViaCustomHeader && !context.Request.Headers.ContainsKey("rid"))
        {
            return new TokenRefresh { Verdict = SessionVerdict.Unauthorised };
        }

        // Not cancelled if the browser disconnects: half a rotation would cost the user the session.
        var refreshed = await requests.Sessions.RefreshAsync(
            new TokenToRefresh(token, mode == AntiCsrfMode.ViaToken, SessionTransport.AntiCsrf(context), options.UseDynamicSigningKey)
            {
                MaxAccessTokenLength = transport.MaxAccessTokenLength(context, presented.Transfer),
                Others = candidates.Count > 1 ? [.. candidates.Skip(1)] : null,
            },
            CancellationToken.None);
        if (refreshed.Verdict == SessionVerdict.Ok)
        {
            if (otherToo)
            {
                transport.Clear(context, presented.Transfer == TokenTransfer.Cookie ? TokenTransfer.Header : TokenTransfer.Cookie);
            }

            transport.SetAll(context, presented.Transfer, refreshed.UserId!, refreshed.Tokens!);
            transport.ClearDuplicates(context);
        }

        requests.Cookies.ClearLegacy(context);
        return refreshed;
    }

    // Done once: cookies that come twice after that were set by another site.
    private static bool ClearsOlderCookies(HttpContext context, SessionRequests requests)
    {
        if (requests.Options.OlderCookieDomain is not { } older || requests.Cookies.ClearedOlder(context) || !requests.Transport.HasDuplicates(context, out var access, out var refresh))
        {
            return false;
        }

        requests.Cookies.RememberClearedOlder(context, requests.Now);
        if (access)
        {
            requests.Cookies.ClearAccess(context, older);
        }

        if (refresh)
        {
            requests.Cookies.ClearRefresh(context, older);
        }

        requests.Transport.RepeatFrontToken(context);
        return true;
    }
}
