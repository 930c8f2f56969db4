using Grid.WebFront.Admission;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core;

/// <summary>Who may call a route.</summary>
internal enum CoreScope
{
    /// <summary>Any tenant; it must exist.</summary>
    Tenant,

    /// <summary>The app: only its public tenant.</summary>
    App,

    /// <summary>As <see cref="App"/> from CDI 5.0 on; any tenant before.</summary>
    AppSince50,

    /// <summary>As <see cref="App"/> from CDI 5.6 on; any tenant before.</summary>
    AppSince56,
}

/// <summary>What the gate requires before a route's handler runs.</summary>
/// <param name="Scope">Who may call it.</param>
/// <param name="NeedsKey">Whether a request without a valid key is answered 401.</param>
/// <param name="NeedsVersion">Whether an unsupported version is refused. Otherwise the version only affects the tenant check.</param>
/// <param name="NeedsTenant">Whether the tenant must exist.</param>
/// <param name="ForStrangers">Whether it is answered without a key, whichever app and tenant are named, so that it does not reveal which exist.</param>
/// <param name="Class">What the request does, in an overload.</param>
/// <param name="IsUpstream">Whether the core behind Grid answers it, app, tenant and version included.</param>
internal sealed record CoreRoute(
    CoreScope Scope, bool NeedsKey = true, bool NeedsVersion = true, bool NeedsTenant = true, bool ForStrangers = false, RequestClass Class = RequestClass.None, bool IsUpstream = false);

internal static class CoreRouteBuilder
{
    // HEAD is GET whose body the server leaves out (RFC 9110, 9.3.2): probes ask so.
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps one operation; without a <see cref="CoreRoute"/> a route does not exist.</summary>
    public static IEndpointConventionBuilder MapCore(this IEndpointRouteBuilder routes, string method, string path, CoreRoute route, RequestDelegate handler) =>
        routes.MapMethods(path, method == HttpMethods.Get ? Reading : [method], handler).WithMetadata(route);

    /// <summary>Maps one operation of a service, which is one for all requests.</summary>
    public static IEndpointConventionBuilder MapCore<T>(this IEndpointRouteBuilder routes, string method, string path, CoreRoute route, Func<HttpContext, T, Task> handler)
        where T : notnull
    {
        var service = routes.ServiceProvider.GetRequiredService<T>();
        return routes.MapCore(method, path, route, context => handler(context, service));
    }

    public static IEndpointConventionBuilder MapTenantApi<T>(this IEndpointRouteBuilder routes, RequestClass kind, string method, string path, Func<HttpContext, T, Task> handler)
        where T : notnull =>
        routes.MapCore(method, path, new CoreRoute(CoreScope.Tenant, Class: kind), handler);

    public static IEndpointConventionBuilder MapAppApi<T>(this IEndpointRouteBuilder routes, RequestClass kind, string method, string path, Func<HttpContext, T, Task> handler)
        where T : notnull =>
        routes.MapCore(method, path, new CoreRoute(CoreScope.AppSince50, Class: kind), handler);

    /// <summary>Maps an operation whose answer costs nothing.</summary>
    public static IEndpointConventionBuilder MapTenantApi(this IEndpointRouteBuilder routes, string method, string path, RequestDelegate handler) =>
        routes.MapCore(method, path, new CoreRoute(CoreScope.Tenant), handler);

    /// <inheritdoc cref="MapTenantApi(IEndpointRouteBuilder, string, string, RequestDelegate)"/>
    public static IEndpointConventionBuilder MapAppApi(this IEndpointRouteBuilder routes, string method, string path, RequestDelegate handler) =>
        routes.MapCore(method, path, new CoreRoute(CoreScope.AppSince50), handler);
}
