using Grid.AspNetCore.Browser;
using Grid.AspNetCore.TicketStore;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;

namespace Grid.AspNetCore.Live;

/// <summary>What is known of a request's sessions, kept where a connection by long polling finds it.</summary>
/// <remarks>
/// Such a connection outlasts its requests, so ASP.NET Core gives it a copy of the first one, which has that one's items but not its
/// features. The original is used for other requests by then, perhaps of other users: nothing of the copy may refer to it.
/// </remarks>
internal static class KeptRequest
{
    /// <summary>Whether a request may begin a connection that outlasts it.</summary>
    public static bool IsOfHub(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<HubMetadata>() is not null;

    /// <summary>Keeps all that is known now.</summary>
    public static void Keep(HttpContext context)
    {
        if (context.Features.Get<RequestCheck>() is { } check)
        {
            Keep(context, check);
        }

        if (context.Features.Get<SchemeChecks>() is { } checks)
        {
            Keep(context, checks);
        }

        if (context.Features.Get<CookieSession>() is { } cookie)
        {
            Keep(context, cookie);
        }
    }

    public static void Keep<T>(HttpContext context, T known)
        where T : class => context.Items[typeof(T)] = known;

    /// <summary>The request's feature of that type, or the one that was kept.</summary>
    public static T? Find<T>(HttpContext context)
        where T : class => context.Features.Get<T>() ?? Kept<T>(context);

    /// <summary>The outcome of the request's check; in a copy with a session that is bound to the copy.</summary>
    public static RequestCheck? Check(HttpContext context)
    {
        if (context.Features.Get<RequestCheck>() is { } check)
        {
            return check;
        }

        if (Kept<RequestCheck>(context) is not { } kept)
        {
            return Several(context)?.Current;
        }

        var mine = kept with { Session = kept.Session?.For(context) };
        context.Features.Set(mine);
        return mine;
    }

    /// <summary>The outcome of one scheme's check.</summary>
    public static RequestCheck? Check(HttpContext context, SessionRequests by) => by.IsOneOfSeveral ? Several(context)?.Of(by) : Check(context);

    /// <summary>Where there are several schemes, what each found out.</summary>
    public static SchemeChecks? Several(HttpContext context)
    {
        if (context.Features.Get<SchemeChecks>() is { } checks)
        {
            return checks;
        }

        if (Kept<SchemeChecks>(context)?.For(context) is not { } mine)
        {
            return null;
        }

        context.Features.Set(mine);
        return mine;
    }

    // To ask the context for its items would make some.
    private static T? Kept<T>(HttpContext context)
        where T : class => context.Features.Get<IItemsFeature>()?.Items.TryGetValue(typeof(T), out var known) == true ? known as T : null;
}
