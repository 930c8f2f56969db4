using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Endpoints;

/// <summary><c>POST /session/refresh</c>.</summary>
internal static class RefreshSession
{
    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        var verdict = await requests.RefreshAsync(context);
        switch (verdict)
        {
            case SessionVerdict.Ok:
                context.Response.StatusCode = StatusCodes.Status200OK;
                context.Response.ContentLength = 0;
                return;
            case SessionVerdict.Unauthorised:
                await FrontAnswers.MessageAsync(context, requests.Options.SessionExpiredStatusCode, "unauthorised");
                return;
            case SessionVerdict.TokenTheft:
                await FrontAnswers.MessageAsync(context, requests.Options.SessionExpiredStatusCode, "token theft detected");
                return;
            case SessionVerdict.TryRefresh:
                // 200, or the client would take the session for lost: the refresh that follows brings one cookie only.
                await FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["message"] = "Cookies of the older cookie domain were cleared; the next refresh goes on with the session." });
                return;
            default:
                throw new InvalidOperationException($"A refresh cannot end in {verdict}.");
        }
    }
}
