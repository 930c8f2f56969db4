using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>POST /recipe/multitenancy/tenant/remove</c>: ends the tenant's sessions too.</summary>
internal static class RemoveTenant
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var tenantId = TenantWire.ReadId(body, "tenantId");
        TenantWire.RequirePublicTenant(request, "delete tenants");
        if (tenantId == TenantKey.PublicId)
        {
            throw CoreException.Forbidden("Cannot delete public tenant, use remove app API instead");
        }

        var removal = await tenants.Tenancy.RemoveTenantAsync(new TenantKey(request.App.App, tenantId), CancellationToken.None);
        tenants.WriteLog(context, removal, new RevocationScope.Tenant { App = request.App.App, TenantId = tenantId }, RevocationReason.TenantRemoved);
        await TenantWire.WriteRemovedAsync(context, removal.Outcome, notEmpty: "The tenant is not empty");
    }
}
