using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>POST /recipe/multitenancy/connectionuridomain/remove</c>.</summary>
internal static class RemoveDomain
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var domain = await PutDomain.ReadDomainAsync(body, tenants);
        PutDomain.RequireBase(request, "delete a connectionUriDomain");
        if (domain.Length == 0)
        {
            throw CoreException.Forbidden("Cannot delete the default connectionUriDomain");
        }

        var removal = await tenants.Tenancy.RemoveDomainAsync(domain, CancellationToken.None);
        tenants.WriteLog(context, removal, new RevocationScope.WholeApp { App = new AppKey(domain, AppKey.PublicId) }, RevocationReason.AppRemoved);
        await TenantWire.WriteRemovedAsync(context, removal.Outcome, "Please delete all the apps belonging to this connectionUriDomain except the public app, and the public app's tenants except the public one");
    }
}
