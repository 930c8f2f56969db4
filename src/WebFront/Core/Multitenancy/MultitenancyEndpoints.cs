using Grid.WebFront.Admission;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Core.Multitenancy;

internal static class MultitenancyEndpoints
{
    public static void MapMultitenancy(this IEndpointRouteBuilder core)
    {
        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/connectionuridomain", (c, tenants) => PutDomain.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/connectionuridomain/v2", (c, tenants) => PutDomain.HandleAsync(c, tenants, TenantWireVersion.V2));
        core.MapTenantApi<TenantDoor>(RequestClass.Revoke, "POST", "/recipe/multitenancy/connectionuridomain/remove", RemoveDomain.HandleAsync);
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/connectionuridomain/list", (c, tenants) => ListDomains.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/connectionuridomain/list/v2", (c, tenants) => ListDomains.HandleAsync(c, tenants, TenantWireVersion.V2));

        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/app", (c, tenants) => PutApp.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/app/v2", (c, tenants) => PutApp.HandleAsync(c, tenants, TenantWireVersion.V2));
        core.MapTenantApi<TenantDoor>(RequestClass.Revoke, "POST", "/recipe/multitenancy/app/remove", RemoveApp.HandleAsync);
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/app/list", (c, tenants) => ListApps.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/app/list/v2", (c, tenants) => ListApps.HandleAsync(c, tenants, TenantWireVersion.V2));

        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/tenant", (c, tenants) => PutTenant.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/tenant/v2", (c, tenants) => PutTenant.HandleAsync(c, tenants, TenantWireVersion.V2));
        core.MapCore<TenantDoor>("GET", "/recipe/multitenancy/tenant", new CoreRoute(CoreScope.Tenant, NeedsTenant: false, Class: RequestClass.List), (c, tenants) => GetTenant.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapCore<TenantDoor>("GET", "/recipe/multitenancy/tenant/v2", new CoreRoute(CoreScope.Tenant, NeedsTenant: false, Class: RequestClass.List), (c, tenants) => GetTenant.HandleAsync(c, tenants, TenantWireVersion.V2));
        core.MapTenantApi<TenantDoor>(RequestClass.Revoke, "POST", "/recipe/multitenancy/tenant/remove", RemoveTenant.HandleAsync);
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/tenant/list", (c, tenants) => ListTenants.HandleAsync(c, tenants, TenantWireVersion.V1));
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/multitenancy/tenant/list/v2", (c, tenants) => ListTenants.HandleAsync(c, tenants, TenantWireVersion.V2));

        core.MapTenantApi<TenantDoor>(RequestClass.Create, "PUT", "/recipe/multitenancy/config/thirdparty", ThirdPartyConfig.PutAsync);
        core.MapTenantApi<TenantDoor>(RequestClass.Create, "POST", "/recipe/multitenancy/config/thirdparty/remove", ThirdPartyConfig.RemoveAsync);
        core.MapTenantApi("POST", "/recipe/multitenancy/tenant/user", TenantUsers.AddAsync);
        core.MapTenantApi("POST", "/recipe/multitenancy/tenant/user/remove", TenantUsers.RemoveAsync);
        core.MapTenantApi<TenantDoor>(RequestClass.List, "GET", "/recipe/dashboard/tenant/core-config", GetCoreConfig.HandleAsync);
    }
}
