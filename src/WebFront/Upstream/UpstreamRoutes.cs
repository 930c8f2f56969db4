using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Grid.Abstractions.Apps;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Upstream;

/// <summary>Which routes the core behind Grid serves, which Grid, and which both.</summary>
internal static partial class UpstreamRoutes
{
    private static readonly ImmutableArray<SharedRoute> Shared =
    [
        .. new[] { "", "/v2" }.SelectMany(version => new[]
        {
            OfTenant(RequestClass.Forward, "PUT", "/recipe/multitenancy/connectionuridomain" + version, (context, both) => both.PutAsync(context, NamedBy.Domain)),
            OfTenant(RequestClass.Forward, "PUT", "/recipe/multitenancy/app" + version, (context, both) => both.PutAsync(context, NamedBy.App)),
            OfTenant(RequestClass.Forward, "PUT", "/recipe/multitenancy/tenant" + version, (context, both) => both.PutAsync(context, NamedBy.Tenant)),
        }),
        OfTenant(RequestClass.Revoke, "POST", "/recipe/multitenancy/connectionuridomain/remove", (context, both) => both.RemoveAsync(context, NamedBy.Domain)),
        OfTenant(RequestClass.Revoke, "POST", "/recipe/multitenancy/app/remove", (context, both) => both.RemoveAsync(context, NamedBy.App)),
        OfTenant(RequestClass.Revoke, "POST", "/recipe/multitenancy/tenant/remove", (context, both) => both.RemoveAsync(context, NamedBy.Tenant)),
        OfTenant(RequestClass.Revoke, "POST", "/recipe/multitenancy/tenant/user/remove", (context, both) => both.LeaveTenantAsync(context)),
        OfApp(RequestClass.Revoke, "POST", "/user/remove", (context, both) => both.RemoveUserAsync(context)),
        OfApp(RequestClass.Revoke, "POST", "/recipe/accountlinking/user/link", (context, both) => both.LinkAsync(context)),
        OfApp(RequestClass.Revoke, "POST", "/recipe/accountlinking/user/unlink", (context, both) => both.UnlinkAsync(context)),
        OfApp(RequestClass.Forward, "POST", "/recipe/userid/map", (context, both) => both.MapAsync(context, "superTokensUserId", isMapped: false)),
        OfApp(RequestClass.Forward, "POST", "/recipe/userid/map/remove", (context, both) => both.MapAsync(context, "userId", isMapped: true)),
    ];

    public static void MapUpstream(this IEndpointRouteBuilder core)
    {
        foreach (var shared in Shared)
        {
            core.MapCore(shared.Method, shared.Path, shared.Route, shared.Handler);
        }

        // Every other route, with every method. Whether app, tenant and version exist, the core that serves it says.
        var forwarder = core.ServiceProvider.GetRequiredService<UpstreamForwarder>();
        var route = new CoreRoute(CoreScope.Tenant, NeedsVersion: false, NeedsTenant: false, Class: RequestClass.Forward, IsUpstream: true);
        core.MapFallback("{**path}", context => PassAsync(context, forwarder)).WithMetadata(route);
    }

    /// <summary>Versions that both serve: a client picks one for all its recipes, and keeps it until it is started again.</summary>
    /// <exception cref="CoreException">The other core has never said which it serves: 503 or 504, and the client asks again.</exception>
    public static async Task<ImmutableArray<CdiVersion>> CommonAsync(HttpContext context, UpstreamPulse pulse, UpstreamFailures failures)
    {
        var request = CoreRequest.Of(context);
        var isOfOne = request.Domain.Length > 0 || request.Path.AppId != AppKey.PublicId || request.Path.NamesTenant;
        var (target, host) = (UpstreamForwarder.Target(context), request.Domain.Length > 0 ? request.Domain : null);
        var (trouble, common) = isOfOne
            ? await pulse.AskOfOneAsync(target, host, context.RequestAborted)
            : (await pulse.AskAsync(target, host, context.RequestAborted), null);
        return common ?? pulse.Common ?? throw failures.Refuse(context, trouble);
    }

    private static Task PassAsync(HttpContext context, UpstreamForwarder forwarder)
    {
        var request = CoreRequest.Of(context);
        if (request.Path.NamesTenant && !CorePath.CouldExist(request.TenantId))
        {
            // The original takes an app without a name for the public one, and what follows for its tenant.
            throw CoreException.TenantNotFound(request.Domain, request.Path.AppId, request.TenantId);
        }

        var path = context.Request.Path.Value!;
        return IsKnown(context.Request.Method, request.Path.NamesTenant ? $"/{request.TenantId}{path}" : path) ? throw new CoreException(404, "Not found") : forwarder.HandleAsync(context);
    }

    // Whether Grid has to know of it, read as the original reads a path behind the app: which first words are tenants differs from version to version.
    private static bool IsKnown(string method, string path)
    {
        if (Own().IsMatch(path))
        {
            return true;
        }

        var rest = path.IndexOf('/', 1) is > 0 and var end ? path[end..].TrimEnd('/') : "";
        return Shared.Any(shared => shared.Path.Equals(rest, StringComparison.OrdinalIgnoreCase) && shared.Method.Equals(method, StringComparison.OrdinalIgnoreCase));
    }

    // Below these the other core may have something too, but of sessions that it does not know: it is never asked. To it a dot is any character.
    [GeneratedRegex("^(/[a-z0-9-]+)?((/recipe/(session|handshake|jwt)|/session)(/|$)|/.well-known/jwks.json(/|$))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Own();

    private static SharedRoute OfTenant(RequestClass kind, string method, string path, Func<HttpContext, BothCores, Task> handler) => new(method, path, new CoreRoute(CoreScope.Tenant, Class: kind), handler);

    private static SharedRoute OfApp(RequestClass kind, string method, string path, Func<HttpContext, BothCores, Task> handler) => new(method, path, new CoreRoute(CoreScope.AppSince50, Class: kind), handler);

    private sealed record SharedRoute(string Method, string Path, CoreRoute Route, Func<HttpContext, BothCores, Task> Handler);
}
