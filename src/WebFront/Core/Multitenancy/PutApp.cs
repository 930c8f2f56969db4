using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>PUT /recipe/multitenancy/app</c> and <c>…/v2</c>.</summary>
internal static class PutApp
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var appId = TenantWire.ReadId(body, "appId");
        TenantWire.RequirePublicAppAndTenant(request, "create/update apps");
        var change = TenantWire.ReadChange(body, request, version, isTenant: false);
        RefuseBaseConfig(new AppKey(request.Domain, appId), change);
        var put = await tenants.Tenancy.PutAppAsync(new AppKey(request.Domain, appId), change, CancellationToken.None);
        await TenantWire.WritePutAsync(context, request, put);
    }

    /// <summary>What the installation itself is set to is in its own configuration.</summary>
    public static void RefuseBaseConfig(AppKey app, TenantChange change)
    {
        if (app == AppKey.Public && change.CoreConfigPatchJson is { } patch && patch.AsSpan().Trim("{} \t\r\n").Length > 0)
        {
            throw new CoreException(400, "Cannot modify base config");
        }
    }
}
