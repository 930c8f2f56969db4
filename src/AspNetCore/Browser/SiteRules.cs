using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>What it means for cookies and anti-CSRF whether page and API are on the same site.</summary>
/// <remarks>
/// "Same site" is guessed from the names, without a public suffix list. A wrong "same" only loses cookies; a wrong "different" only
/// requires a header that the SDKs always send. Neither weakens protection.
/// </remarks>
internal sealed class SiteRules(GridOptions options)
{
    /// <summary>The characters allowed in a path that becomes a cookie's.</summary>
    public static readonly SearchValues<char> PathCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/");

    private readonly HashSet<string> _origins =
        options.WebsiteDomains.Append(options.ApiDomain).Select(Origin).ToHashSet(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, SameSiteMode> _byOrigin = options.WebsiteDomains.Distinct(StringComparer.OrdinalIgnoreCase).ToDictionary(
        domain => domain, domain => options.CookieSameSite ?? (IsSameSite(options.ApiDomain, domain) ? SameSiteMode.Lax : SameSiteMode.None), StringComparer.OrdinalIgnoreCase);

    public bool Secure { get; } = options.CookieSecure ?? options.ApiDomain.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether this response's cookies get <c>Secure</c>: also where <see cref="GridOptions.ApiDomain"/> was left at http and the browser came by
    /// https. What the request says can make it stricter, never laxer.
    /// </summary>
    public bool IsSecure(HttpContext context) => Secure || (options.CookieSecure is null && PublicAddress.SaysHttps(context.Request));

    /// <summary>
    /// The prefix before <see cref="GridOptions.ApiBasePath"/> in the route table, if the endpoints are mapped inside a group. Default
    /// none.
    /// </summary>
    public string RoutePrefix { get; set; } = "";

    /// <summary>The session endpoints' path as browsers see it, without a trailing slash: not always the path that arrives here.</summary>
    public string BasePath(HttpContext context)
    {
        if (options.PublicBasePath is { } set)
        {
            return set + options.ApiBasePath.TrimEnd('/');
        }

        // From UsePathBase, Map, or a proxy's X-Forwarded-Prefix; ignored if it could not be a cookie's Path.
        var mounted = context.Request.PathBase.HasValue ? context.Request.PathBase.ToUriComponent().TrimEnd('/') : "";
        return (mounted.AsSpan().ContainsAnyExcept(PathCharacters) ? "" : mounted) + RoutePrefix + options.ApiBasePath.TrimEnd('/');
    }

    /// <summary>
    /// Whether a page that is not ours may have made the browser send this request (Fetch Standard, <c>Origin</c>; Fetch Metadata,
    /// <c>Sec-Fetch-Site</c>). Clients other than browsers send neither header.
    /// </summary>
    public bool IsForeign(HttpContext context)
    {
        var headers = context.Request.Headers;
        var site = headers["Sec-Fetch-Site"];
        return headers.Origin switch
        {
            [] => site is not ([] or ["same-origin"] or ["none"]),
            ["null"] => site is not ["same-origin"],
            [{ } origin] => !_origins.Contains(origin) && !IsOwnHost(context.Request, origin),
            _ => true,
        };
    }

    public SameSiteMode SameSiteFor(string origin) => _byOrigin[origin];

    /// <summary>
    /// The mode for the page that sent this request; for an unknown page the widest in use, so that it gets the strictest check.
    /// </summary>
    public SameSiteMode SameSite(HttpContext context) =>
        context.Request.Headers.Origin is [{ } origin] && _byOrigin.TryGetValue(origin, out var mode) ? mode
        : _byOrigin.ContainsValue(SameSiteMode.None) ? SameSiteMode.None
        : _byOrigin.Values.First();

    public AntiCsrfMode AntiCsrf(HttpContext context) =>
        options.AntiCsrf ?? (SameSite(context) == SameSiteMode.None ? AntiCsrfMode.ViaCustomHeader : AntiCsrfMode.None);

    /// <summary>Whether both are on a developer's machine: only there are insecure SameSite=None cookies allowed.</summary>
    public static bool BothLocal(string api, string website) => IsLocal(new Uri(api).Host) && IsLocal(new Uri(website).Host);

    /// <summary>The origin as browsers write it: lower case, no default port, names in ASCII.</summary>
    private static string Origin(string url)
    {
        var uri = new Uri(url);
        var host = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        return uri.IsDefaultPort ? $"{uri.Scheme}://{host}" : $"{uri.Scheme}://{host}:{uri.Port}";
    }

    // A page on the same host as the request, even if the options name another. For forward-auth, the host of the request that the proxy
    // holds.
    private bool IsOwnHost(HttpRequest request, string origin)
    {
        var authority = origin.StartsWith("https://", StringComparison.Ordinal) ? origin.AsSpan(8)
            : origin.StartsWith("http://", StringComparison.Ordinal) && !options.ApiDomain.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ? origin.AsSpan(7)
            : default;
        return !authority.IsEmpty && (authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
            || (request.Headers["X-Forwarded-Host"] is [{ } forwarded] && authority.Equals(forwarded, StringComparison.OrdinalIgnoreCase)));
    }

    private static bool IsLocal(string host) => host == "localhost" || IPAddress.TryParse(host, out _);

    private static bool IsSameSite(string api, string website)
    {
        var (left, right) = (new Uri(api), new Uri(website));
        return left.Scheme == right.Scheme && Registrable(left.Host) == Registrable(right.Host);
    }

    private static string Registrable(string host)
    {
        if (IsLocal(host))
        {
            return host;
        }

        var labels = host.Split('.');

        // example.com, but example.co.uk.
        var kept = labels.Length > 2 && labels[^1].Length == 2 && labels[^2].Length <= 3 ? 3 : 2;
        return string.Join('.', labels[^Math.Min(kept, labels.Length)..]);
    }
}
