using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Browser;

/// <summary>Notices a public address that was left at this machine's: in production, when the first request comes by https.</summary>
/// <remarks>Adds nothing to the pipeline where the address is not this machine's. It sees the headers before <c>UseForwardedHeaders</c> takes them.</remarks>
internal sealed partial class PublicAddress(IOptions<GridOptions> options, IHostEnvironment environment, ILogger<PublicAddress> logger) : IStartupFilter
{
    private int _told;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
    {
        var declared = new Uri(options.Value.ApiDomain);
        return environment.IsDevelopment() || !ThisMachine.IsNamedBy(declared.Host) ? next : app =>
        {
            app.Use((context, rest) =>
            {
                if (_told == 0 && SaysHttps(context.Request) && (declared.Scheme != Uri.UriSchemeHttps || !ThisMachine.IsNamedBy(PublicHost(context.Request))) && Interlocked.Exchange(ref _told, 1) == 0)
                {
                    Log.WrongAddress(logger, options.Value.ApiDomain);
                }

                return rest(context);
            });
            next(app);
        };
    }

    /// <summary>Whether the client speaks https, with this process or with a proxy before it. It may lie, to its own harm only.</summary>
    public static bool SaysHttps(HttpRequest request) =>
        request.IsHttps
        || request.Headers["X-Forwarded-Proto"].ToString().Split(',')[0].Trim().Equals("https", StringComparison.OrdinalIgnoreCase)
        || request.Headers["X-Forwarded-Scheme"].ToString().Equals("https", StringComparison.OrdinalIgnoreCase)
        || request.Headers["X-Forwarded-Ssl"].ToString().Equals("on", StringComparison.OrdinalIgnoreCase)
        || request.Headers["Front-End-Https"].ToString().Equals("on", StringComparison.OrdinalIgnoreCase)
        || request.Headers["Forwarded"].ToString().Replace("\"", "", StringComparison.Ordinal).Contains("proto=https", StringComparison.OrdinalIgnoreCase);

    private static string PublicHost(HttpRequest request) =>
        request.Headers["X-Forwarded-Host"] is [{ Length: > 0 } forwarded] ? new HostString(forwarded).Host : request.Host.Host;

    private static partial class Log
    {
        [LoggerMessage(4005, LogLevel.Error,
            "Browsers reach this application by https, but ApiDomain of AddGrid() is {ApiDomain}: its tokens name the wrong issuer, and what a site's own pages are is judged by the wrong name. Set ApiDomain to the origin at which browsers reach it (https://…)")]
        public static partial void WrongAddress(ILogger logger, string apiDomain);
    }
}
