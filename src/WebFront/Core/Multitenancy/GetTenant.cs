using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET [/tenant]/recipe/multitenancy/tenant</c> and <c>…/v2</c>.</summary>
internal static class GetTenant
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        var tenant = request.App.TenantIds.Contains(request.TenantId)
            ? await tenants.Tenant(request).FindAsync(CancellationToken.None)
            : null;
        if (tenant is null)
        {
            await CoreResponse.WriteStatusAsync(context, "TENANT_NOT_FOUND_ERROR");
            return;
        }

        var shape = TenantWire.ShapeOf(request, version);
        await CoreResponse.WriteAsync(context, "OK", (tenant, shape), static (json, state) => TenantWire.WriteMembers(json, state.tenant, state.shape));
    }
}
