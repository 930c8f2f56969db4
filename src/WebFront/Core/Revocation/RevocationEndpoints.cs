using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Ours, beside the protocol: revocations with receipts, of everything that can be revoked (<c>docs/protocol.md</c>).</summary>
internal static class RevocationEndpoints
{
    public static void MapRevocation(this IEndpointRouteBuilder core)
    {
        core.MapCore("GET", "/session/holder", new CoreRoute(CoreScope.App, NeedsVersion: false), context =>
            context.RequestServices.GetRequiredService<ConnectHolder>().HandleAsync(context));
        core.MapCore("POST", "/session/revoke", new CoreRoute(CoreScope.Tenant, NeedsVersion: false), Revoke.HandleAsync);
    }
}
