using System.Collections.Immutable;
using System.Text;
using Grid.WebFront.Admission;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Service;

/// <summary>What clients ask of the service itself. Source: <c>docs/protocol/core.md</c>, "Versions" and "Beyond sessions".</summary>
internal static class ServiceEndpoints
{
    private static readonly CoreRoute Open = new(CoreScope.Tenant, NeedsKey: false, NeedsVersion: false, ForStrangers: true);
    private static readonly byte[] Versions = Write(null, null);

    public static void MapService(this IEndpointRouteBuilder core, bool hasUpstream)
    {
        var pulse = core.ServiceProvider.GetRequiredService<StorePulse>();
        Task HelloAsync(HttpContext context) => ServiceEndpoints.HelloAsync(context, pulse);
        foreach (var method in new[] { "GET", "POST", "PUT", "DELETE" })
        {
            core.MapCore(method, "/", Open, HelloAsync);
            core.MapCore(method, "/hello", Open, HelloAsync);
        }

        if (hasUpstream)
        {
            // Answered with the versions of the core behind Grid; what else is asked here is for that core.
            core.MapCore<UpstreamPulse>("GET", "/apiversion", new CoreRoute(CoreScope.AppSince50, NeedsVersion: false, Class: RequestClass.Forward), CommonVersionsAsync);
            return;
        }

        // Another Grid that takes this one for the core behind it hears so when it first asks.
        core.MapCore("GET", "/apiversion", new CoreRoute(CoreScope.AppSince50, NeedsVersion: false), context => context.Request.Headers.ContainsKey(UpstreamClient.HopHeader)
            ? throw new CoreException(508, "Grid:Upstream:Uri of another Grid leads to this Grid, and must be the address of the core behind it")
            : VersionsAsync(context));
        core.MapAppApi("GET", "/telemetry", context => CoreResponse.WriteAsync(context, "OK", 0, static (json, _) => json.WriteBoolean("exists"u8, false)));

        // Everything is free here: a licence key is taken and ignored.
        core.MapAppApi("PUT", "/ee/license", context => CoreResponse.WriteStatusAsync(context, "OK"));
        core.MapAppApi("DELETE", "/ee/license", context => CoreResponse.WriteStatusAsync(context, "OK"));
        core.MapAppApi("GET", "/ee/license", context => CoreResponse.WriteStatusAsync(context, "NO_LICENSE_KEY_FOUND_ERROR"));
        core.MapAppApi("GET", "/ee/featureflag", context => CoreResponse.WriteAsync(context, "OK", 0, static (json, _) =>
        {
            json.WriteStartArray("features"u8);
            json.WriteEndArray();
            json.WriteStartObject("usageStats"u8);
            json.WriteEndObject();
        }));
    }

    // Clients pick the newest that they know: an app that is held back to an older one offers no newer one.
    private static Task VersionsAsync(HttpContext context) => CoreResponse.WriteJsonAsync(context, CoreRequest.Of(context).App is { MaxCdiVersion: null, MinCdiVersion: null }
        ? Versions
        : Write(CdiVersion.Of(CoreRequest.Of(context).App.MinCdiVersion), CdiVersion.Of(CoreRequest.Of(context).App.MaxCdiVersion)));

    // A client uses one version for all that it asks, so both cores must serve it.
    private static async Task CommonVersionsAsync(HttpContext context, UpstreamPulse pulse)
    {
        var app = CoreRequest.Of(context).App;
        await CoreResponse.WriteJsonAsync(context, Write(CdiVersion.Of(app.MinCdiVersion), CdiVersion.Of(app.MaxCdiVersion), await UpstreamRoutes.CommonAsync(context, pulse, context.RequestServices.GetRequiredService<UpstreamFailures>())));
    }

    private static byte[] Write(CdiVersion? min, CdiVersion? max) => Write(min, max, CdiVersion.Supported);

    private static byte[] Write(CdiVersion? min, CdiVersion? max, ImmutableArray<CdiVersion> served)
    {
        var offered = served.Where(version => !(version < min) && !(version > max));
        return Encoding.ASCII.GetBytes($$"""{"versions":[{{string.Join(',', offered.Select(version => $"\"{version}\""))}}]}""");
    }

    private static async Task HelloAsync(HttpContext context, StorePulse pulse)
    {
        if (!await pulse.AnswersAsync())
        {
            throw new CoreException(500, "The store does not answer");
        }

        await CoreResponse.WriteTextAsync(context, 200, "Hello");
    }
}
