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
    public static IEndpointConventionBuilder MapAll(IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<IOptions<GridOptions>>().Value;
        var front = routes.MapGroup(options.ApiBasePath.TrimEnd('/')).AllowAnonymous();
        front.MapFront("POST", "/session/refresh", RefreshSession.HandleAsync).Finally(endpoint => RememberPrefix(routes.ServiceProvider, options, endpoint));
        front.MapFront("POST", "/signout", SignOut.HandleAsync);
        front.MapFront("GET", "/session/events", OfOurPages(SessionEvents.HandleAsync));
        front.MapFront("GET", "/session/events.js", SessionEvents.ScriptAsync);
        front.MapFront("GET", "/jwt/jwks.json", Discovery.KeysAsync);
        front.MapFront("GET", "/.well-known/openid-configuration", Discovery.ConfigurationAsync);

        // The SDKs may put the tenant first.
        front.MapFront("POST", "/{tenantId}/session/refresh", RefreshSession.HandleAsync);
        front.MapFront("POST", "/{tenantId}/signout", SignOut.HandleAsync);

        // Proxies use the method of the request that they hold; Envoy appends its path.
        foreach (var path in (string[])["/verify", "/verify/{**path}"])
        {
            front.Map(path, context => RunAsync(context, ForwardAuth.HandleAsync));
        }

        return front;
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
    private static void RememberPrefix(IServiceProvider services, GridOptions options, EndpointBuilder endpoint)
    {
        var path = "/" + ((RouteEndpointBuilder)endpoint).RoutePattern.RawText?.TrimStart('/');
        var own = options.ApiBasePath.TrimEnd('/') + "/session/refresh";
        if (path.EndsWith(own, StringComparison.Ordinal) && !path.Contains('{', StringComparison.Ordinal))
        {
            services.GetRequiredService<SessionRequests>().Site.RoutePrefix = path[..^own.Length];
        }
    }

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
            await context.RequestServices.GetRequiredService<GridErrors>().AnswerAsync(context, failure);
        }
    }
}
