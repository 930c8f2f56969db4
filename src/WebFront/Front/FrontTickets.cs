using Grid.Abstractions.Apps;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Front;

/// <summary>Checks, when a ticket is ordered, that this silo's front will be able to hand over its session.</summary>
internal sealed class FrontTickets(FrontSettings front, SessionRequests requests)
{
    /// <exception cref="SessionRefusedException">The access token would be too long.</exception>
    public void Check(HttpContext context, AppKey app, SessionDraft draft)
    {
        if (app != front.App)
        {
            return;
        }

        try
        {
            requests.RefuseTooLongForAnybody(context, RedeemTicket.WithIssuer(draft, requests.Issuer(context)));
        }
        catch (GridException refusal) when (refusal.Reason == GridFailure.TokenTooLong)
        {
            throw new SessionRefusedException(refusal.Message);
        }
    }
}
