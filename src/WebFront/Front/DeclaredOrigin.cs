using System.Net;
using Grid.AspNetCore;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Front;

/// <summary>
/// Keeps a front that is configured for plain http on this machine from being exposed by accident: behind a proxy with TLS its cookies
/// would lack <c>Secure</c>, and its tokens' <c>iss</c> would be this machine's. Nothing is derived from what a request says about its origin.
/// </summary>
internal sealed partial class DeclaredOrigin(GridOptions options, ILogger logger)
{
    private readonly bool _isHttps = options.ApiDomain.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
    private readonly bool _isHere = ThisMachine.IsNamedBy(new Uri(options.ApiDomain).Host);
    private int _told;

    /// <summary>
    /// Returns 421 to a request that did not come by way of <c>ApiDomain</c> and would be given cookies, tokens or an issuer (RFC 9110,
    /// section 15.5.20).
    /// </summary>
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!Gives(request) || WhyNot(request) is not { } why)
        {
            return next(context);
        }

        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            Log.OtherOrigin(logger, why, options.ApiDomain);
        }

        return FrontAnswers.MessageAsync(context, StatusCodes.Status421MisdirectedRequest, "Grid is not configured for this address; see its log");
    }

    private bool Gives(HttpRequest request) => !request.Path.StartsWithSegments(options.ApiBasePath.TrimEnd('/') + "/verify")
        && !request.Path.StartsWithSegments(options.ApiBasePath.TrimEnd('/') + "/verify-optional")
        && (HttpMethods.IsPost(request.Method) || request.Path.Value?.EndsWith("/openid-configuration", StringComparison.OrdinalIgnoreCase) == true);

    private string? WhyNot(HttpRequest request) =>
        !_isHttps && PublicAddress.SaysHttps(request) ? "by https"
        : _isHere && request.Host.Host is { Length: > 0 } host && !ThisMachine.IsNamedBy(host) && !HasItsOwnRule(request) ? "under another host name"
        : null;

    // On this machine the first page refuses other names itself: there they indicate an attack, not a wrong setting.
    private static bool HasItsOwnRule(HttpRequest request) =>
        request.Path.StartsWithSegments("/first-page") && request.HttpContext.Connection.LocalIpAddress is { } here && IPAddress.IsLoopback(here);

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Warning, "A browser reached the front {How}, but Grid:Front:ApiDomain is {ApiDomain}: its cookies would lack Secure or belong to another host, and its tokens would name the wrong issuer, so Grid returned 421. Set Grid:Front:ApiDomain to the origin at which browsers reach the front (https://…), and Grid:Front:WebsiteDomains to those of the pages. Logged once")]
        public static partial void OtherOrigin(ILogger logger, string how, string apiDomain);
    }
}
