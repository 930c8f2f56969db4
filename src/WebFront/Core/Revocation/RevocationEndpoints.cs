using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Ours, beside the protocol: revocations with receipts, of everything that can be revoked (<c>docs/protocol.md</c>).</summary>
internal static class RevocationEndpoints
{
    public static void MapRevocation(this IEndpointRouteBuilder core)
    {
        core.MapCore("POST", "/session/revoke", new CoreRoute(CoreScope.Tenant, NeedsVersion: false), Revoke.HandleAsync);
    }
}
