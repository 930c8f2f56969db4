using System.Net;
using Microsoft.AspNetCore.Http;

namespace Grid.Client.Browser;

/// <summary>What page and API being on one site, or not, means for cookies and anti-CSRF.</summary>
/// <remarks>
/// Same site is guessed from the names (no public suffix list): a wrong "same" only loses cookies, a wrong "different" only
/// asks for a header that the SDKs always send. Neither opens anything.
/// </remarks>
internal sealed class SiteRules(GridOptions options)
{
    private readonly Dictionary<string, SameSiteMode> _byOrigin = options.WebsiteDomains.Distinct(StringComparer.OrdinalIgnoreCase).ToDictionary(
        domain => domain, domain => options.CookieSameSite ?? (IsSameSite(options.ApiDomain, domain) ? SameSiteMode.Lax : SameSiteMode.None), StringComparer.OrdinalIgnoreCase);

    public bool Secure { get; } = options.CookieSecure ?? options.ApiDomain.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    public SameSiteMode SameSiteFor(string origin) => _byOrigin[origin];

    /// <summary>The mode for the page that sent this request; for an unknown one the widest in use, so that its check is the strictest.</summary>
    public SameSiteMode SameSite(HttpContext context) =>
        context.Request.Headers.Origin is [{ } origin] && _byOrigin.TryGetValue(origin, out var mode) ? mode
        : _byOrigin.ContainsValue(SameSiteMode.None) ? SameSiteMode.None
        : _byOrigin.Values.First();

    public AntiCsrfMode AntiCsrf(HttpContext context) =>
        options.AntiCsrf ?? (SameSite(context) == SameSiteMode.None ? AntiCsrfMode.ViaCustomHeader : AntiCsrfMode.None);

    /// <summary>Insecure SameSite=None cookies are left to developers' machines.</summary>
    public static bool BothLocal(string api, string website) => IsLocal(new Uri(api).Host) && IsLocal(new Uri(website).Host);

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
