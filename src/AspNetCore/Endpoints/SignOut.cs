using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Endpoints;

/// <summary><c>POST /signout</c>: revokes the request's session.</summary>
internal static class SignOut
{
    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        var check = await requests.CheckAsync(context, GridEndpoint.AnyClaims, context.Request.Method);
        if (check.Outcome == RequestOutcome.TryRefresh)
        {
            // The client refreshes and retries: saying "done" without revoking anything would leave the session active.
            await FrontAnswers.WriteAsync(context, requests, check);
            return;
        }

        if (check.Session is { } session)
        {
            await session.RevokeAsync(CancellationToken.None);
        }
        else
        {
            requests.Transport.ClearEverywhere(context);
        }

        await FrontAnswers.OkAsync(context);
    }
}
