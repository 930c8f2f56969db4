using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Authentication;

/// <summary>Refusals of the application's own endpoints: an event may write them, else they are as the browser SDKs expect.</summary>
/// <remarks>
/// Not for what <c>MapGrid()</c> maps: a 200 that an event wrote to forward-auth would let a request through.
/// </remarks>
internal static class EventAnswers
{
    public static async Task WriteAsync(HttpContext context, SessionRequests requests, RequestCheck check)
    {
        FrontAnswers.Prepare(context, requests, check);
        var events = Find(context, requests);
        var (handle, user) = (check.Session?.Handle ?? check.Token?.SessionHandle, check.Session?.UserId ?? check.Token?.UserId);
        GridEventContext told;
        if (check.Outcome == RequestOutcome.InvalidClaims)
        {
            var refused = new GridClaimsRefusedContext(context, handle, user, check.Problems!);
            told = refused;
            await events.ClaimsRefused(refused);
        }
        else
        {
            var refused = new GridRefusedContext(context, handle, user, check.Why);
            told = refused;
            await (check.Outcome switch
            {
                RequestOutcome.TryRefresh => events.Expired(refused),
                RequestOutcome.Ended => events.Ended(refused),
                _ => events.NoSession(refused),
            });
        }

        if (!told.IsHandled && !context.Response.HasStarted)
        {
            await FrontAnswers.WriteAsync(context, requests, check);
        }
    }

    /// <summary>The options' events, or those of the type that they name.</summary>
    public static GridEvents Find(HttpContext context, SessionRequests requests) =>
        requests.Options.EventsType is { } type ? (GridEvents)context.RequestServices.GetRequiredService(type) : requests.Options.Events;
}
