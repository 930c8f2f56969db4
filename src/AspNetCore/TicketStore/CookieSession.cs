using Grid.AspNetCore.Live;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.TicketStore;

/// <summary>What the ticket store and the cookie handler know of the request that they serve, one for each scheme.</summary>
internal sealed class CookieSession
{
    private readonly string _scheme;
    private readonly CookieSession? _other;

    private CookieSession(string scheme, CookieSession? other) => (_scheme, _other) = (scheme, other);

    /// <summary>The request's session: the one that came, or that a sign-in made; null if there is none.</summary>
    public string? Handle { get; set; }

    /// <summary>The handle in the cookie, unless its session is known to be over: its ticket may be one that cannot be opened.</summary>
    public string? Came { get; set; }

    /// <summary>The session's ticket as this request found it.</summary>
    public CachedTicket? Read { get; set; }

    /// <summary>What the application has asked of the handler.</summary>
    public CookieCall Call { get; set; }

    public static CookieSession Of(HttpContext? context, string scheme)
    {
        var first = context?.Features.Get<CookieSession>();
        for (var session = first; session is not null; session = session._other)
        {
            if (session._scheme == scheme)
            {
                return session;
            }
        }

        var added = new CookieSession(scheme, first);
        if (context is not null)
        {
            context.Features.Set(added);
            if (KeptRequest.IsOfHub(context))
            {
                KeptRequest.Keep(context, added);
            }
        }

        return added;
    }

    /// <summary>The handle of the first session that there is.</summary>
    public static string? FindHandle(HttpContext context) => Handles(context).FirstOrDefault();

    /// <summary>The handles of all sessions that there are.</summary>
    public static IEnumerable<string> Handles(HttpContext context)
    {
        for (var session = KeptRequest.Find<CookieSession>(context); session is not null; session = session._other)
        {
            if (session.Handle is { } handle)
            {
                yield return handle;
            }
        }
    }
}
