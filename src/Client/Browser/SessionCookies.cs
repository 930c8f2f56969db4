using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Grid.Client.Browser;

/// <summary>The one place that decides names, attributes and lives of the session's cookies, and finds them in a request.</summary>
internal sealed class SessionCookies(GridOptions options, SiteRules site)
{
    // Older SDKs left this one behind; whoever still sends it has to refresh.
    public const string LegacyName = "sIdRefreshToken";

    // Browsers refuse larger ones without a word.
    private const int MaxSize = 4096;

    private static readonly TimeSpan AccessCookieLife = TimeSpan.FromDays(365);

    private readonly string _prefix = options.HostCookies ? "__Host-" : "";

    public string AccessName => field ??= _prefix + "sAccessToken";

    public string RefreshName => field ??= _prefix + "sRefreshToken";

    // __Host- cookies must have the path "/".
    private string RefreshPath => field ??= options.HostCookies ? "/" : $"{options.ApiBasePath.TrimEnd('/')}/session/refresh";

    /// <summary>The cookie outlives its token on purpose: an expired token tells that there may be a refresh token.</summary>
    public void SetAccess(HttpContext context, string token, DateTimeOffset now) =>
        Append(context, AccessName, token, now + AccessCookieLife, options.AccessTokenPath, options.CookieDomain);

    public void SetRefresh(HttpContext context, string token, DateTimeOffset expiresAt) =>
        Append(context, RefreshName, token, expiresAt, RefreshPath, options.CookieDomain);

    /// <summary>Characters that an access token may have beside the name and attributes of its cookie.</summary>
    public int MaxAccessTokenLength(HttpContext context) => MaxSize - Line(context, AccessName, "", DateTimeOffset.UnixEpoch, options.AccessTokenPath, options.CookieDomain, out _).Length;

    public void Clear(HttpContext context)
    {
        ClearAccess(context, options.CookieDomain);
        ClearRefresh(context, options.CookieDomain);
    }

    public void ClearAccess(HttpContext context, string? domain) => Append(context, AccessName, "", null, options.AccessTokenPath, domain);

    public void ClearRefresh(HttpContext context, string? domain) => Append(context, RefreshName, "", null, RefreshPath, domain);

    public void ClearLegacy(HttpContext context)
    {
        if (Find(context, LegacyName, out _) is not null)
        {
            Append(context, LegacyName, "", null, options.AccessTokenPath, options.CookieDomain);
        }
    }

    /// <summary>A cookie's value; null if it did not come. Says whether it came more than once: a parent domain, or an older setting, has one too.</summary>
    /// <param name="context">Of the request.</param>
    /// <param name="name">The cookie's.</param>
    /// <param name="several">Whether it came more than once.</param>
    /// <param name="all">Gets every value.</param>
    public static string? Find(HttpContext context, string name, out bool several, ICollection<string>? all = null)
    {
        several = false;
        string? found = null;
        foreach (var header in context.Request.Headers.Cookie)
        {
            var rest = header.AsSpan();
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf(';');
                var pair = (end < 0 ? rest : rest[..end]).Trim();
                rest = end < 0 ? default : rest[(end + 1)..];
                if (!pair.StartsWith(name, StringComparison.Ordinal) || pair.Length <= name.Length || pair[name.Length] != '=')
                {
                    continue;
                }

                several |= found is not null;
                var value = found is null || all is not null ? Unescape(pair[(name.Length + 1)..].Trim('"')) : null;
                found ??= value;
                all?.Add(value!);
            }
        }

        return found;
    }

    private static string Unescape(ReadOnlySpan<char> value) =>
        value.Contains('%') ? Uri.UnescapeDataString(value) : value.ToString();

    // A null expiry deletes.
    private StringBuilder Line(HttpContext context, string name, string value, DateTimeOffset? expires, string path, string? domain, out string identity)
    {
        var line = new StringBuilder(name).Append('=').Append(value);
        var at = line.Length;
        if (!string.IsNullOrEmpty(domain))
        {
            line.Append("; Domain=").Append(domain);
        }

        line.Append("; Path=").Append(path);
        identity = line.ToString(at, line.Length - at);
        line.Append("; Expires=").Append((expires ?? DateTimeOffset.UnixEpoch).ToString("R", CultureInfo.InvariantCulture)).Append("; HttpOnly");
        if (site.Secure)
        {
            line.Append("; Secure");
        }

        return line.Append("; SameSite=").Append(site.SameSite(context));
    }

    private void Append(HttpContext context, string name, string value, DateTimeOffset? expires, string path, string? domain)
    {
        var line = Line(context, name, value, expires, path, domain, out var identity).ToString();
        if (line.Length > MaxSize)
        {
            throw new GridException(
                GridFailure.Refused, $"The cookie {name} would have {line.Length} bytes, and browsers keep at most {MaxSize}: put less into the access token payload, or use header mode.");
        }

        // The last word on a cookie counts: an earlier line of this answer for the same cookie goes.
        var lines = context.Response.Headers.SetCookie;
        var kept = lines.Count == 0 ? [] : lines.Where(l => l is not null && !(l.StartsWith(name + "=", StringComparison.Ordinal) && l.Contains(identity + ";", StringComparison.Ordinal))).ToArray();
        context.Response.Headers.SetCookie = new StringValues([.. kept, line]);
    }
}
