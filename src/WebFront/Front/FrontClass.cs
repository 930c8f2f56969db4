using Grid.WebFront.Admission;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Front;

/// <summary>Metadata of the front's endpoints: what a request does, in an overload.</summary>
internal sealed record FrontClass(RequestClass Class)
{
    /// <summary>Marks one of the endpoints that <c>MapGrid()</c> maps, which know nothing of classes.</summary>
    public static void Mark(EndpointBuilder endpoint)
    {
        var path = (endpoint as RouteEndpointBuilder)?.RoutePattern.RawText ?? "";

        // Event streams have limits of their own, and the rest is in memory.
        var kind = path.EndsWith("/signout", StringComparison.Ordinal) ? RequestClass.Revoke
            : path.EndsWith("/session/refresh", StringComparison.Ordinal) ? RequestClass.Refresh
            : path.Contains("/verify", StringComparison.Ordinal) ? RequestClass.Verify
            : RequestClass.None;
        if (kind != RequestClass.None)
        {
            endpoint.Metadata.Add(new FrontClass(kind));
        }
    }

    /// <summary>After routing: refuses what there is no room for. What <see cref="Mark"/> marks never reads a body, so it takes its place at once.</summary>
    public static RequestDelegate Limit(IServiceProvider services, RequestDelegate next, RequestDelegate refuseAsync)
    {
        var admission = services.GetRequiredService<AdmissionControl>();
        RequestDelegate enters = context =>
        {
            AdmissionDoor.Enter(context);
            return next(context);
        };
        return context => context.GetEndpoint()?.Metadata.GetMetadata<FrontClass>() is { Class: var kind }
            ? AdmissionDoor.BeforeAsync(context, admission, kind, Asker.Front, kind == RequestClass.Create ? next : enters, refuseAsync)
            : next(context);
    }
}
