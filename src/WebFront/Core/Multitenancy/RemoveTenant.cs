using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>POST /recipe/multitenancy/tenant/remove</c>: ends the tenant's sessions too.</summary>
internal static class RemoveTenant
{
    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var tenantId = TenantWire.ReadId(body, "tenantId");
        TenantWire.RequirePublicTenant(request, "delete tenants");
        if (tenantId == TenantKey.PublicId)
        {
            throw CoreException.Forbidden("Cannot delete public tenant, use remove app API instead");
        }

        var outcome = await TenantWire.App(context, request.App.App).RemoveTenantAsync(tenantId, CancellationToken.None);
        if (outcome == RemoveOutcome.Removed)
        {
            // The grain has emptied it; here everybody hears of it, which may take longer than a grain's turn.
            await TenantWire.RevokeAsync(context, new RevocationScope.Tenant { App = request.App.App, TenantId = tenantId }, RevocationReason.TenantRemoved);
        }

        await TenantWire.WriteRemovedAsync(context, outcome, notEmpty: "The tenant is not empty");
    }
}
