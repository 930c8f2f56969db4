using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/multitenancy/tenant/list</c> and <c>…/v2</c>.</summary>
internal static class ListTenants
{
    public static async Task HandleAsync(HttpContext context, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        TenantWire.RequirePublicTenant(request, "list all tenants");
        var tenants = await TenantWire.App(context, request.App.App).ListTenantsAsync(CancellationToken.None);
        var shape = TenantWire.ShapeOf(request, version);
        await CoreResponse.WriteAsync(context, "OK", (tenants, shape), static (json, state) => TenantWire.WriteTenants(json, state.tenants, state.shape));
    }
}
