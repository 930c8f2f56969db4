using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Endpoints;

/// <summary>Runs before everything else, so that only <see cref="ForwardAuth"/> answers requests below <c>/verify</c>.</summary>
/// <remarks>
/// Envoy appends the client's path to ours. The server resolves dot segments before routing: without this,
/// <c>/auth/verify/admin/x/../../../.well-known/openid-configuration</c> would be answered 200, and the proxy would let it through.
/// </remarks>
internal sealed class ForwardAuthTargets(IOptions<GridOptions> options) : IStartupFilter
{
    // Headers in which proxies pass on the original target: nginx by our configuration, Traefik and Caddy, ingress-nginx.
    private static readonly string[] Originals = ["X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Auth-Request-Redirect"];
    private static readonly string[] Methods = ["X-Forwarded-Method", "X-Original-Method"];

    private readonly string _verify = options.Value.ApiBasePath.TrimEnd('/') + "/verify";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, rest) =>
        {
            var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
            if (!target.Contains("verify", StringComparison.OrdinalIgnoreCase) && !target.Contains('%', StringComparison.Ordinal))
            {
                return rest(context);
            }

            if (RequestTarget.LeadsThrough(target, _verify))
            {
                if (RequestTarget.IsAmbiguous(target))
                {
                    return RefuseAsync(context);
                }

                HidePreflight(context);
            }

            return rest(context);
        });
        next(app);
    };

    /// <summary>Whether the proxy and the application may read the path of the original request differently.</summary>
    public static bool IsAmbiguous(HttpRequest question)
    {
        foreach (var name in Originals)
        {
            foreach (var target in question.Headers[name])
            {
                if (RequestTarget.IsAmbiguous(target))
                {
                    return true;
                }
            }
        }

        return false;
    }

    public static Task RefuseAsync(HttpContext context)
    {
        // Not 400, which nginx would treat as an outage.
        context.Response.Headers["X-Grid-Error"] = """{"message":"forbidden"}""";
        return FrontAnswers.MessageAsync(context, StatusCodes.Status403Forbidden, "forbidden");
    }

    // A preflight that a proxy asks about is a request like any other. CORS middleware would answer 204 in our place, which means "let it
    // through".
    private void HidePreflight(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (HttpMethods.IsOptions(context.Request.Method) && headers.AccessControlRequestMethod.Count > 0
            && (!context.Request.Path.Value!.EndsWith(_verify, StringComparison.OrdinalIgnoreCase)
                || Originals.Any(headers.ContainsKey) || Methods.Any(headers.ContainsKey)))
        {
            headers.Remove("Access-Control-Request-Method");
        }
    }
}
