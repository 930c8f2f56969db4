using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Core.Multitenancy;

internal static class MultitenancyEndpoints
{
    public static void MapMultitenancy(this IEndpointRouteBuilder core)
    {
        core.MapTenantApi("PUT", "/recipe/multitenancy/connectionuridomain", c => PutDomain.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("PUT", "/recipe/multitenancy/connectionuridomain/v2", c => PutDomain.HandleAsync(c, TenantWireVersion.V2));
        core.MapTenantApi("POST", "/recipe/multitenancy/connectionuridomain/remove", RemoveDomain.HandleAsync);
        core.MapTenantApi("GET", "/recipe/multitenancy/connectionuridomain/list", c => ListDomains.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("GET", "/recipe/multitenancy/connectionuridomain/list/v2", c => ListDomains.HandleAsync(c, TenantWireVersion.V2));

        core.MapTenantApi("PUT", "/recipe/multitenancy/app", c => PutApp.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("PUT", "/recipe/multitenancy/app/v2", c => PutApp.HandleAsync(c, TenantWireVersion.V2));
        core.MapTenantApi("POST", "/recipe/multitenancy/app/remove", RemoveApp.HandleAsync);
        core.MapTenantApi("GET", "/recipe/multitenancy/app/list", c => ListApps.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("GET", "/recipe/multitenancy/app/list/v2", c => ListApps.HandleAsync(c, TenantWireVersion.V2));

        core.MapTenantApi("PUT", "/recipe/multitenancy/tenant", c => PutTenant.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("PUT", "/recipe/multitenancy/tenant/v2", c => PutTenant.HandleAsync(c, TenantWireVersion.V2));
        core.MapCore("GET", "/recipe/multitenancy/tenant", new CoreRoute(CoreScope.Tenant, NeedsTenant: false), c => GetTenant.HandleAsync(c, TenantWireVersion.V1));
        core.MapCore("GET", "/recipe/multitenancy/tenant/v2", new CoreRoute(CoreScope.Tenant, NeedsTenant: false), c => GetTenant.HandleAsync(c, TenantWireVersion.V2));
        core.MapTenantApi("POST", "/recipe/multitenancy/tenant/remove", RemoveTenant.HandleAsync);
        core.MapTenantApi("GET", "/recipe/multitenancy/tenant/list", c => ListTenants.HandleAsync(c, TenantWireVersion.V1));
        core.MapTenantApi("GET", "/recipe/multitenancy/tenant/list/v2", c => ListTenants.HandleAsync(c, TenantWireVersion.V2));

        core.MapTenantApi("PUT", "/recipe/multitenancy/config/thirdparty", ThirdPartyConfig.PutAsync);
        core.MapTenantApi("POST", "/recipe/multitenancy/config/thirdparty/remove", ThirdPartyConfig.RemoveAsync);
        core.MapTenantApi("POST", "/recipe/multitenancy/tenant/user", TenantUsers.AddAsync);
        core.MapTenantApi("POST", "/recipe/multitenancy/tenant/user/remove", TenantUsers.RemoveAsync);
        core.MapTenantApi("GET", "/recipe/dashboard/tenant/core-config", GetCoreConfig.HandleAsync);
    }
}
