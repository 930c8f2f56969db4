using Grid.Abstractions.Apps;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Front;

/// <summary>Whether this silo's front could hand over the session of a ticket, asked when it is ordered.</summary>
internal sealed class FrontTickets(FrontSettings front, SessionRequests requests)
{
    /// <exception cref="SessionRefusedException">Its access token would be too long.</exception>
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
