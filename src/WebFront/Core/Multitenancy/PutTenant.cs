using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>PUT /recipe/multitenancy/tenant</c> and <c>…/v2</c>.</summary>
internal static class PutTenant
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var tenantId = TenantWire.ReadId(body, "tenantId");
        TenantWire.RequirePublicTenant(request, "create/update tenants");
        var isTenant = tenantId != TenantKey.PublicId;
        var change = TenantWire.ReadChange(body, request, version, isTenant);
        if (!isTenant)
        {
            PutApp.RefuseBaseConfig(request.App.App, change);
        }

        var put = await tenants.Tenancy.PutTenantAsync(new TenantKey(request.App.App, tenantId), change, CancellationToken.None);
        await TenantWire.WritePutAsync(context, request, put);
    }
}
