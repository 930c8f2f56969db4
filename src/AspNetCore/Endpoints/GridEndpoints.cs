using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Endpoints;

/// <summary>The endpoints that the browser SDKs call, below <see cref="GridOptions.ApiBasePath"/>.</summary>
internal static class GridEndpoints
{
    /// <summary>Maps refresh, sign-out, events, published keys, discovery and forward-auth.</summary>
    public static IEndpointConventionBuilder MapAll(IEndpointRouteBuilder routes) => Map(routes, (front, services) =>
    {
        MapRefresh(front, services);
        MapSignOut(front, services);
        MapEvents(front, services);
        MapKeys(front, services);
        MapForwardAuth(front, services);
    });

    /// <summary>Maps some of them, in a group below the base path.</summary>
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, Action<RouteGroupBuilder, IServiceProvider> map)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var front = routes.MapGroup(Options(routes.ServiceProvider).ApiBasePath.TrimEnd('/'));
        _ = front.AllowAnonymous();

        // They judge tokens themselves: what a group around them says of its sessions would stop an expired one before it is refreshed.
        ((IEndpointConventionBuilder)front).Finally(static endpoint =>
        {
            foreach (var optional in endpoint.Metadata.OfType<OptionalGridSessionAttribute>().ToArray())
            {
                endpoint.Metadata.Remove(optional);
            }
        });
        map(front, routes.ServiceProvider);
        return front;
    }

    // The SDKs may put the tenant first.
    public static void MapRefresh(RouteGroupBuilder front, IServiceProvider services)
    {
        front.MapFront("POST", "/session/refresh", RefreshSession.HandleAsync).Finally(endpoint => RememberPrefix(services, endpoint));
        front.MapFront("POST", "/{tenantId}/session/refresh", RefreshSession.HandleAsync);
    }

    public static void MapSignOut(RouteGroupBuilder front, IServiceProvider services)
    {
        front.MapFront("POST", "/signout", SignOut.HandleAsync);
        front.MapFront("POST", "/{tenantId}/signout", SignOut.HandleAsync);
    }

    public static void MapEvents(RouteGroupBuilder front, IServiceProvider services)
    {
        front.MapFront("GET", "/session/events", OfOurPages(SessionEvents.HandleAsync));
        front.MapFront("GET", "/session/events.js", SessionEvents.ScriptAsync);
    }

    public static void MapKeys(RouteGroupBuilder front, IServiceProvider services)
    {
        front.MapFront("GET", "/jwt/jwks.json", Discovery.KeysAsync);
        front.MapFront("GET", "/.well-known/openid-configuration", Discovery.ConfigurationAsync);
    }

    // Proxies use the method of the request that they hold; Envoy appends its path.
    public static void MapForwardAuth(RouteGroupBuilder front, IServiceProvider services)
    {
        foreach (var path in (string[])["/verify", "/verify/{**path}"])
        {
            front.Map(path, context => RunAsync(context, ForwardAuth.HandleAsync));
        }

        foreach (var path in (string[])["/verify-optional", "/verify-optional/{**path}"])
        {
            front.Map(path, context => RunAsync(context, ForwardAuth.HandleOptionalAsync));
        }
    }

    /// <summary>Maps one operation, with what applies to all of them: the protocol version, and one shape for failures.</summary>
    internal static IEndpointConventionBuilder MapFront(this IEndpointRouteBuilder routes, string method, string path, Func<HttpContext, SessionRequests, Task> handler) =>
        routes.MapMethods(path, [method], (RequestDelegate)(context => RunAsync(context, method == "POST" ? OfOurPages(handler) : handler)));

    /// <summary>Refuses requests that a page of another origin made a browser send.</summary>
    internal static Func<HttpContext, SessionRequests, Task> OfOurPages(Func<HttpContext, SessionRequests, Task> handler) => (context, requests) =>
        requests.IsFromForeignPage(context)
            ? FrontAnswers.MessageAsync(context, StatusCodes.Status403Forbidden, "the page's origin is not among WebsiteDomains")
            : handler(context, requests);

    // Endpoints that are mapped inside a group have its path as a prefix, which the refresh token's cookie needs too.
    private static void RememberPrefix(IServiceProvider services, EndpointBuilder endpoint)
    {
        var path = "/" + ((RouteEndpointBuilder)endpoint).RoutePattern.RawText?.TrimStart('/');
        var own = Options(services).ApiBasePath.TrimEnd('/') + "/session/refresh";
        if (path.EndsWith(own, StringComparison.Ordinal) && !path.Contains('{', StringComparison.Ordinal))
        {
            services.GetRequiredService<SessionRequests>().Site.RoutePrefix = path[..^own.Length];
        }
    }

    private static GridOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<GridOptions>>().Value;

    private static async Task RunAsync(HttpContext context, Func<HttpContext, SessionRequests, Task> handler)
    {
        if (FdiVersion.Refused(context.Request.Headers["fdi-version"]) is { } refused)
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, $"fdi-version {refused} not supported; supported are {string.Join(", ", FdiVersion.Supported)}");
            return;
        }

        try
        {
            await handler(context, context.RequestServices.GetRequiredService<SessionRequests>());
        }
        catch (GridException failure) when (!context.Response.HasStarted)
        {
            await context.RequestServices.GetRequiredService<GridErrors>().AnswerAsync(context, failure, isOwnEndpoint: true);
        }
    }
}
