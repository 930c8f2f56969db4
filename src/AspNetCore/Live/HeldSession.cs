using Grid.AspNetCore.Browser;
using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Grid.Revocation.Holders;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Live;

/// <summary>A session that authenticated a request, by whichever scheme.</summary>
internal readonly record struct HeldSession(IGridSessions Sessions, string Handle)
{
    public SessionWatch Watch() => Sessions.Watch(Handle);

    /// <summary>All of a request, or of the one that began a connection by long polling. Usually one or none.</summary>
    public static List<HeldSession> Of(HttpContext context)
    {
        List<HeldSession> held = [];
        if (KeptRequest.Check(context) is { Outcome: RequestOutcome.Session, Session: { } session })
        {
            held.AddRange(session.Side.IsOneOfSeveral ? KeptRequest.Several(context)!.Sessions.Select(one => one.Held) : [session.Held]);
        }

        foreach (var handle in CookieSession.Handles(context))
        {
            held.Add(new HeldSession(context.RequestServices.GetRequiredService<IGridSessions>(), handle));
        }

        return held;
    }
}
