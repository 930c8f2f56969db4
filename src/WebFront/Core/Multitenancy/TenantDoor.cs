using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary>Domains, apps and tenants, as all their operations reach them.</summary>
internal sealed class TenantDoor(IGrainFactory grains, ITenancy tenancy, Revocations revocations)
{
    /// <summary>Creates and removes them.</summary>
    public ITenancy Tenancy => tenancy;

    /// <summary>All domains with their apps.</summary>
    public ICatalogGrain Catalog => grains.GetGrain<ICatalogGrain>(0);

    public IAppGrain App(AppKey app) => grains.GetGrain<IAppGrain>(app.ToString());

    /// <summary>The tenant that a request names.</summary>
    public ITenantGrain Tenant(CoreRequest request) => grains.GetGrain<ITenantGrain>(new TenantKey(request.App.App, request.TenantId).ToString());

    /// <summary>Logs a revocation that this call completed.</summary>
    public void WriteLog(HttpContext context, Removal removal, RevocationScope scope, RevocationReason reason)
    {
        if (removal.Outcome == RemoveOutcome.Removed)
        {
            revocations.Write(scope, reason, CoreActor.Of(context), null, removal.Receipt);
        }
    }
}
