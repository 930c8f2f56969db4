using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Upstream;

/// <summary>Which routes the core behind Grid serves, which Grid, and which both.</summary>
internal static class UpstreamRoutes
{
    // Below these the other core may have something too, but of sessions that it does not know: it is never asked.
    private static readonly PathString[] Own = ["/recipe/session", "/session", "/recipe/handshake", "/recipe/jwt", "/.well-known/jwks.json"];

    public static void MapUpstream(this IEndpointRouteBuilder core)
    {
        foreach (var version in new[] { "", "/v2" })
        {
            core.MapTenantApi<BothCores>(RequestClass.Create, "PUT", "/recipe/multitenancy/connectionuridomain" + version, (context, both) => both.PutAsync(context, NamedBy.Domain));
            core.MapTenantApi<BothCores>(RequestClass.Create, "PUT", "/recipe/multitenancy/app" + version, (context, both) => both.PutAsync(context, NamedBy.App));
            core.MapTenantApi<BothCores>(RequestClass.Create, "PUT", "/recipe/multitenancy/tenant" + version, (context, both) => both.PutAsync(context, NamedBy.Tenant));
        }

        core.MapTenantApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/multitenancy/connectionuridomain/remove", (context, both) => both.RemoveAsync(context, NamedBy.Domain));
        core.MapTenantApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/multitenancy/app/remove", (context, both) => both.RemoveAsync(context, NamedBy.App));
        core.MapTenantApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/multitenancy/tenant/remove", (context, both) => both.RemoveAsync(context, NamedBy.Tenant));
        core.MapTenantApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/multitenancy/tenant/user/remove", (context, both) => both.LeaveTenantAsync(context));
        core.MapAppApi<BothCores>(RequestClass.Revoke, "POST", "/user/remove", (context, both) => both.RemoveUserAsync(context));
        core.MapAppApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/accountlinking/user/link", (context, both) => both.LinkAsync(context));
        core.MapAppApi<BothCores>(RequestClass.Revoke, "POST", "/recipe/accountlinking/user/unlink", (context, both) => both.LinkAsync(context));
        core.MapAppApi<BothCores>(RequestClass.Create, "POST", "/recipe/userid/map", (context, both) => both.MapAsync(context, "superTokensUserId", isMapped: false));
        core.MapAppApi<BothCores>(RequestClass.Create, "POST", "/recipe/userid/map/remove", (context, both) => both.MapAsync(context, "userId", isMapped: true));

        // Every other route, with every method. Whether app, tenant and version exist, the core that serves it says.
        var route = new CoreRoute(CoreScope.Tenant, NeedsVersion: false, NeedsTenant: false, Class: RequestClass.Forward, IsUpstream: true);
        core.MapFallback("{**path}", PassAsync).WithMetadata(route);
    }

    /// <summary>Versions that both serve: a client picks one for all its recipes. Grid's alone as long as the other core has never said which it serves.</summary>
    public static async Task<ImmutableArray<CdiVersion>> CommonAsync(HttpContext context, UpstreamPulse pulse)
    {
        var request = CoreRequest.Of(context);
        var isOfOne = request.Domain.Length > 0 || request.Path.AppId != AppKey.PublicId || request.Path.NamesTenant;
        var (target, host) = (UpstreamForwarder.Target(context), request.Domain.Length > 0 ? request.Domain : null);
        var common = isOfOne ? (await pulse.AskOfOneAsync(target, host, context.RequestAborted)).Common : null;
        if (!isOfOne)
        {
            await pulse.AskAsync(target, host, context.RequestAborted);
        }

        return common ?? pulse.Common ?? CdiVersion.Supported;
    }

    private static Task PassAsync(HttpContext context)
    {
        if (Array.Exists(Own, path => context.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)))
        {
            throw new CoreException(404, "Not found");
        }

        return context.RequestServices.GetService(typeof(UpstreamForwarder)) is UpstreamForwarder forwarder
            ? forwarder.HandleAsync(context)
            : throw new InvalidOperationException("There is no core behind Grid.");
    }
}
