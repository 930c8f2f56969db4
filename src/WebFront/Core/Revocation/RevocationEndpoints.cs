using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Ours, beside the protocol: revocations with receipts, of everything that can be revoked (<c>docs/protocol.md</c>).</summary>
internal static class RevocationEndpoints
{
    public static void MapRevocation(this IEndpointRouteBuilder core)
    {
        core.MapCore<ConnectHolder>("GET", "/session/holder", new CoreRoute(CoreScope.App, NeedsVersion: false), static (context, holder) => holder.HandleAsync(context));
        var keys = core.ServiceProvider.GetRequiredService<SigningKeyRevocation>();
        core.MapCore<Revocations>(
            "POST", "/session/revoke", new CoreRoute(CoreScope.Tenant, NeedsVersion: false, Class: RequestClass.Revoke), (context, revocations) => Revoke.HandleAsync(context, revocations, keys));
    }
}
