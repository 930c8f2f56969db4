using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/multitenancy/tenant/list</c> and <c>…/v2</c>.</summary>
internal static class ListTenants
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        TenantWire.RequirePublicTenant(request, "list all tenants");
        var listed = await tenants.App(request.App.App).ListTenantsAsync(CancellationToken.None);
        var shape = TenantWire.ShapeOf(request, version);
        await CoreResponse.WriteAsync(context, "OK", (listed, shape), static (json, state) => TenantWire.WriteTenants(json, state.listed, state.shape));
    }
}
