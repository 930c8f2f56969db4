using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Endpoints;

/// <summary>The endpoints that the browser SDKs call, below <see cref="GridOptions.ApiBasePath"/>.</summary>
internal static class GridEndpoints
{
    /// <summary>Maps refresh, sign-out, events, published keys, discovery and forward-auth.</summary>
    public static IEndpointConventionBuilder MapAll(IEndpointRouteBuilder routes, string? scheme) => Map(routes, scheme, (front, side) =>
    {
        MapRefresh(front, side);
        MapSignOut(front, side);
        MapEvents(front, side);
        MapKeys(front, side);
        MapForwardAuth(front, side);
    });

    /// <summary>Maps some of them, in a group below the base path.</summary>
    /// <exception cref="InvalidOperationException">There is no such scheme.</exception>
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, string? scheme, Action<RouteGroupBuilder, SessionRequests> map)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var side = Side(routes.ServiceProvider, scheme);
        var front = routes.MapGroup(side.Options.ApiBasePath.TrimEnd('/'));
        _ = front.AllowAnonymous().WithMetadata(new OfGridScheme(side));

        // They judge tokens themselves: what a group around them says of its sessions would stop an expired one before it is refreshed.
        ((IEndpointConventionBuilder)front).Finally(static endpoint =>
        {
            foreach (var optional in endpoint.Metadata.OfType<OptionalGridSessionAttribute>().ToArray())
            {
                endpoint.Metadata.Remove(optional);
            }
        });
        map(front, side);
        return front;
    }

    // The SDKs may put the tenant first.
    public static void MapRefresh(RouteGroupBuilder front, SessionRequests side)
    {
        front.MapFront("POST", "/session/refresh", RefreshSession.HandleAsync, side).Finally(endpoint => RememberPrefix(side, endpoint));
        front.MapFront("POST", "/{tenantId}/session/refresh", RefreshSession.HandleAsync, side);
    }

    public static void MapSignOut(RouteGroupBuilder front, SessionRequests side)
    {
        front.MapFront("POST", "/signout", SignOut.HandleAsync, side);
        front.MapFront("POST", "/{tenantId}/signout", SignOut.HandleAsync, side);
    }

    public static void MapEvents(RouteGroupBuilder front, SessionRequests side)
    {
        front.MapFront("GET", "/session/events", OfOurPages(SessionEvents.HandleAsync), side);
        front.MapFront("GET", "/session/events.js", SessionEvents.ScriptAsync, side);
    }

    public static void MapKeys(RouteGroupBuilder front, SessionRequests side)
    {
        front.MapFront("GET", "/jwt/jwks.json", Discovery.KeysAsync, side);
        front.MapFront("GET", "/.well-known/openid-configuration", Discovery.ConfigurationAsync, side);
    }

    // Proxies use the method of the request that they hold; Envoy appends its path.
    public static void MapForwardAuth(RouteGroupBuilder front, SessionRequests side)
    {
        foreach (var path in (string[])["/verify", "/verify/{**path}"])
        {
            front.Map(path, context => RunAsync(context, ForwardAuth.HandleAsync, side));
        }

        foreach (var path in (string[])["/verify-optional", "/verify-optional/{**path}"])
        {
            front.Map(path, context => RunAsync(context, ForwardAuth.HandleOptionalAsync, side));
        }
    }

    /// <summary>Maps one operation, with what applies to all of them: the protocol version, and one shape for failures.</summary>
    internal static IEndpointConventionBuilder MapFront(this IEndpointRouteBuilder routes, string method, string path, Func<HttpContext, SessionRequests, Task> handler, SessionRequests? side = null) =>
        routes.MapMethods(path, [method], (RequestDelegate)(context => RunAsync(context, method == "POST" ? OfOurPages(handler) : handler, side)));

    /// <summary>Refuses requests that a page of another origin made a browser send.</summary>
    internal static Func<HttpContext, SessionRequests, Task> OfOurPages(Func<HttpContext, SessionRequests, Task> handler) => (context, requests) =>
        requests.IsFromForeignPage(context)
            ? FrontAnswers.MessageAsync(context, StatusCodes.Status403Forbidden, "the page's origin is not among WebsiteDomains")
            : handler(context, requests);

    // Endpoints that are mapped inside a group have its path as a prefix, which the refresh token's cookie needs too.
    private static void RememberPrefix(SessionRequests side, EndpointBuilder endpoint)
    {
        var path = "/" + ((RouteEndpointBuilder)endpoint).RoutePattern.RawText?.TrimStart('/');
        var own = side.Options.ApiBasePath.TrimEnd('/') + "/session/refresh";
        if (path.EndsWith(own, StringComparison.Ordinal) && !path.Contains('{', StringComparison.Ordinal))
        {
            side.Site.RoutePrefix = path[..^own.Length];
        }
    }

    private static SessionRequests Side(IServiceProvider services, string? scheme) =>
        scheme is null ? services.GetRequiredService<SessionRequests>() : services.GetRequiredService<GridSchemes>().Find(scheme);

    private static async Task RunAsync(HttpContext context, Func<HttpContext, SessionRequests, Task> handler, SessionRequests? side)
    {
        if (FdiVersion.Refused(context.Request.Headers["fdi-version"]) is { } refused)
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, $"fdi-version {refused} not supported; supported are {string.Join(", ", FdiVersion.Supported)}");
            return;
        }

        try
        {
            await handler(context, side ?? context.RequestServices.GetRequiredService<SessionRequests>());
        }
        catch (GridException failure) when (!context.Response.HasStarted)
        {
            await context.RequestServices.GetRequiredService<GridErrors>().AnswerAsync(context, failure, isOwnEndpoint: true);
        }
    }
}
