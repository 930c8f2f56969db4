using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>POST /recipe/multitenancy/app/remove</c>: ends the app's sessions too.</summary>
internal static class RemoveApp
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var appId = TenantWire.ReadId(body, "appId");
        TenantWire.RequirePublicAppAndTenant(request, "delete an app");
        if (appId == AppKey.PublicId)
        {
            throw CoreException.Forbidden("Cannot delete public app, use remove CUD API instead");
        }

        var app = new AppKey(request.Domain, appId);
        var removal = await tenants.Tenancy.RemoveAppAsync(app, CancellationToken.None);
        tenants.WriteLog(context, removal, new RevocationScope.WholeApp { App = app }, RevocationReason.AppRemoved);
        await TenantWire.WriteRemovedAsync(context, removal.Outcome, "Please delete all tenants except the public tenant for this app before calling the delete API");
    }
}
