using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Endpoints;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Grid's endpoints, and what endpoints ask of sessions.</summary>
public static class GridEndpointExtensions
{
    /// <summary>
    /// Maps what the browser SDKs call, below <see cref="GridOptions.ApiBasePath"/>: refresh, sign-out, events, published keys, discovery
    /// and forward-auth.
    /// </summary>
    public static IEndpointConventionBuilder MapGrid(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return GridEndpoints.MapAll(routes);
    }

    /// <summary>What this endpoint, or all of this group, want otherwise than <see cref="GridOptions"/>.</summary>
    public static TBuilder WithGrid<TBuilder>(this TBuilder endpoint, GridEndpoint wanted)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(wanted);

    /// <summary>
    /// Requires a session whose claims pass these, in addition to the general ones and to those that the group or another call requires;
    /// else 403 with the reasons.
    /// </summary>
    public static TBuilder RequireGridClaims<TBuilder>(this TBuilder endpoint, params ClaimValidator[] validators)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization().WithMetadata(new RequiredGridClaims(validators));
}
