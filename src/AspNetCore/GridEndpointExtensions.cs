using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Endpoints;
using Grid.AspNetCore.Live;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps Grid's endpoints, and configures what endpoints require of sessions.</summary>
public static class GridEndpointExtensions
{
    /// <summary>
    /// Maps the endpoints that the browser SDKs call, below <see cref="GridOptions.ApiBasePath"/>: refresh, sign-out, events, published keys, discovery
    /// and forward-auth.
    /// </summary>
    /// <param name="routes">The application, or a group.</param>
    /// <param name="scheme">Where there are several: the scheme whose endpoints they are. Default: the first.</param>
    /// <exception cref="InvalidOperationException">There is no such scheme of Grid.</exception>
    public static IEndpointConventionBuilder MapGrid(this IEndpointRouteBuilder routes, string? scheme = null)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return GridEndpoints.MapAll(routes, scheme);
    }

    /// <summary>
    /// Maps <c>POST …/session/refresh</c> alone, for rate limits and filters of its own. Use it with its siblings in place of <see cref="MapGrid"/>.
    /// </summary>
    /// <inheritdoc cref="MapGrid"/>
    public static IEndpointConventionBuilder MapGridRefresh(this IEndpointRouteBuilder routes, string? scheme = null) =>
        GridEndpoints.Map(routes, scheme, GridEndpoints.MapRefresh);

    /// <summary>Maps <c>POST …/signout</c> alone.</summary>
    /// <inheritdoc cref="MapGridRefresh"/>
    public static IEndpointConventionBuilder MapGridSignOut(this IEndpointRouteBuilder routes, string? scheme = null) =>
        GridEndpoints.Map(routes, scheme, GridEndpoints.MapSignOut);

    /// <summary>Maps <c>GET …/session/events</c>, which tells pages when their session ends, and the script for it.</summary>
    public static IEndpointConventionBuilder MapGridEvents(this IEndpointRouteBuilder routes, string? scheme = null) =>
        GridEndpoints.Map(routes, scheme, GridEndpoints.MapEvents);

    /// <summary>Maps the published keys, <c>GET …/jwt/jwks.json</c>, and the document that tells where they are.</summary>
    public static IEndpointConventionBuilder MapGridKeys(this IEndpointRouteBuilder routes, string? scheme = null) =>
        GridEndpoints.Map(routes, scheme, GridEndpoints.MapKeys);

    /// <summary>Maps forward-auth for reverse proxies: <c>…/verify</c>, and <c>…/verify-optional</c> for sites that strangers may see.</summary>
    public static IEndpointConventionBuilder MapGridForwardAuth(this IEndpointRouteBuilder routes, string? scheme = null) =>
        GridEndpoints.Map(routes, scheme, GridEndpoints.MapForwardAuth);

    /// <summary>Serves strangers too, but sends a request with an expired access token to refresh first.</summary>
    /// <remarks><inheritdoc cref="OptionalGridSessionAttribute" path="/remarks/node()"/></remarks>
    public static TBuilder WithOptionalGridSession<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new OptionalGridSessionAttribute());

    /// <summary>Overrides <see cref="GridOptions"/> for an endpoint or a group.</summary>
    public static TBuilder WithGrid<TBuilder>(this TBuilder endpoint, GridEndpoint wanted)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(wanted);

    /// <summary>
    /// Requires a session whose claims pass these validators, in addition to the general ones and to those of enclosing groups and other
    /// calls. Other requests get 403 with the reasons.
    /// </summary>
    public static TBuilder RequireGridClaims<TBuilder>(this TBuilder endpoint, params ClaimValidator[] validators)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization().WithMetadata(new RequiredGridClaims(validators));

    /// <summary>
    /// Requires a session whose user signed in within this time; refreshes do not count. In addition to all other requirements, and of
    /// several such times on an endpoint and its groups the shortest holds. Other requests get 403 with the claim error
    /// <c>authenticated-within</c>: the page should ask for the password again and call your sign-in, which makes a new session.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is not positive.</exception>
    public static TBuilder RequireAuthenticatedWithin<TBuilder>(this TBuilder endpoint, TimeSpan time)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        return endpoint.RequireGridClaims(new SignInAge(time));
    }

    /// <summary>
    /// Ends what the endpoint serves within a second after the session that it is served for has ended, wherever that happened: SignalR
    /// connections over every transport, WebSockets, streamed responses, calls of gRPC and circuits of Blazor Server. For sessions of
    /// <c>AddGrid()</c> and of <c>AddGridTicketStore()</c>.
    /// </summary>
    /// <remarks>
    /// A hub's connection is closed so that its client does not reconnect by itself. Elsewhere <see cref="HttpContext.RequestAborted"/> is
    /// cancelled, and the connection is cut if the endpoint has not returned half a second later. Without a session nothing changes, so
    /// require one where there has to be one. An outage of Grid ends nothing, as with <see cref="GridSession.Ended"/>.
    /// </remarks>
    public static TBuilder EndsWithGridSession<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(added =>
        {
            // Both a group and an endpoint may ask for it.
            if (added.RequestDelegate is { } serve && !added.Metadata.Contains(EndsWithSession.Instance))
            {
                added.Metadata.Add(EndsWithSession.Instance);
                added.RequestDelegate = context => LiveRequest.ServeAsync(context, serve);
            }
        });
        return endpoint;
    }
}
