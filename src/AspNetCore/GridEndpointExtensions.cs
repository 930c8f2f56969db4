using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Endpoints;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps Grid's endpoints, and configures what endpoints require of sessions.</summary>
public static class GridEndpointExtensions
{
    /// <summary>
    /// Maps the endpoints that the browser SDKs call, below <see cref="GridOptions.ApiBasePath"/>: refresh, sign-out, events, published keys, discovery
    /// and forward-auth.
    /// </summary>
    public static IEndpointConventionBuilder MapGrid(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return GridEndpoints.MapAll(routes);
    }

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
}
