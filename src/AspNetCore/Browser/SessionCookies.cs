using System.Globalization;
using System.Text;
using Grid.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Grid.AspNetCore.Browser;

/// <summary>The one place that decides the names, attributes and lifetimes of the session's cookies, and finds them in a request.</summary>
/// <param name="options">The options.</param>
/// <param name="site">What is the application's own.</param>
/// <param name="scheme">Ends the names, so that those of two apps on one host differ; empty for the first scheme.</param>
internal sealed class SessionCookies(GridOptions options, SiteRules site, string scheme)
{
    // Left behind by older SDKs; a client that sends it without an access token has to refresh.
    private const string LegacyName = "sIdRefreshToken";

    // Tells later requests that a refresh has already cleared OlderCookieDomain: if a cookie still comes twice, another site set it.
    private const string ClearedName = "sOlderCookiesCleared";

    // From each end: browsers send longer paths first (RFC 6265, section 5.4), and ours has the shortest (access) or the longest (refresh).
    private const int CandidatesOfEachEnd = 4;

    // Some proxies accept 4 KB of headers; a line has about a hundred bytes.
    private const int MaxTossedLines = 20;

    // Browsers silently drop larger ones.
    private const int MaxSize = 4096;

    private static readonly TimeSpan AccessCookieLife = TimeSpan.FromDays(365);

    private readonly string _prefix = options.HostCookies ? "__Host-" : "";
    private readonly string _suffix = scheme.Length == 0 ? "" : "." + scheme;

    /// <summary>The expiry of a cookie that the browser forgets when it is closed: none.</summary>
    public static DateTimeOffset UntilClosed => DateTimeOffset.MaxValue;

    public string AccessName => field ??= _prefix + "sAccessToken" + _suffix;

    public string RefreshName => field ??= _prefix + "sRefreshToken" + _suffix;

    /// <summary>The cookie outlasts its token on purpose: an expired token is a sign that there may be a refresh token.</summary>
    public void SetAccess(HttpContext context, string token, DateTimeOffset now, bool untilClosed = false) =>
        Append(context, AccessName, token, untilClosed ? UntilClosed : now + AccessCookieLife, options.AccessTokenPath, Domain(context));

    public void SetRefresh(HttpContext context, string token, DateTimeOffset expiresAt) =>
        Append(context, RefreshName, token, expiresAt, RefreshPath(context), Domain(context));

    /// <summary>How many characters of its cookie are left for the access token, after name and attributes.</summary>
    public int MaxAccessTokenLength(HttpContext context) => MaxSize - Line(context, AccessName, "", DateTimeOffset.UnixEpoch, options.AccessTokenPath, Domain(context), out _).Length;

    public void Clear(HttpContext context)
    {
        ClearAccess(context, Domain(context));
        ClearRefresh(context, Domain(context));
    }

    public void ClearAccess(HttpContext context, string? domain) => Append(context, AccessName, "", null, options.AccessTokenPath, domain);

    public void ClearRefresh(HttpContext context, string? domain) => Append(context, RefreshName, "", null, RefreshPath(context), domain);

    public void ClearLegacy(HttpContext context)
    {
        if (HasLegacy(context))
        {
            Append(context, LegacyName, "", null, options.AccessTokenPath, Domain(context));
            ClearTossed(context, LegacyName, options.AccessTokenPath);
        }
    }

    /// <summary>
    /// Clears cookies of this name wherever a sibling domain or a page on another path may have set one, except where ours is.
    /// </summary>
    public void ClearTossedAccess(HttpContext context) => ClearTossed(context, AccessName, options.AccessTokenPath);

    /// <inheritdoc cref="ClearTossedAccess"/>
    public void ClearTossedRefresh(HttpContext context) => ClearTossed(context, RefreshName, RefreshPath(context));

    public bool ClearedOlder(HttpContext context) => Find(context, ClearedName + _suffix, out _) is not null;

    public void RememberClearedOlder(HttpContext context, DateTimeOffset now) =>
        Append(context, ClearedName + _suffix, "1", now + TimeSpan.FromHours(1), "/", domain: null);

    /// <summary>Whether the request has any session cookie.</summary>
    public bool Any(HttpContext context) =>
        Find(context, AccessName, out _) is not null || Find(context, RefreshName, out _) is not null || HasLegacy(context);

    /// <summary>Whether an older SDK left its cookie behind; it served one app.</summary>
    public bool HasLegacy(HttpContext context) => _suffix.Length == 0 && Find(context, LegacyName, out _) is not null;

    /// <summary>The distinct values of this name that look like ours; at most eight.</summary>
    public static IReadOnlyList<string> Candidates(HttpContext context, string name, Predicate<string> looksOurs)
    {
        List<string> all = [];
        _ = Find(context, name, out _, all);
        string[] candidates = [.. all.Distinct(StringComparer.Ordinal).Where(value => looksOurs(value))];
        return candidates.Length <= 2 * CandidatesOfEachEnd ? candidates : [.. candidates[..CandidatesOfEachEnd], .. candidates[^CandidatesOfEachEnd..]];
    }

    /// <summary>A cookie's value; null if there is none.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The cookie's name.</param>
    /// <param name="several">Whether it came more than once, because a parent domain or an older setting has one too.</param>
    /// <param name="all">Receives every value.</param>
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

    private string? Domain(HttpContext context)
    {
        if (options.CookieDomainFor is not { } choose)
        {
            return options.CookieDomain;
        }

        var domain = GridOptionsRules.Scope(choose(context));
        var bare = domain?.TrimStart('.');
        return string.IsNullOrEmpty(bare) || Covers(bare, context.Request.Host.Host) || Covers(bare, new Uri(options.ApiDomain).Host)
            ? domain
            : throw new GridException(
                GridFailure.Refused, "CookieDomainFor returned a domain that is neither the host of its request nor above it, so that browsers would drop the cookies. Return the host, a parent domain, or null.");
    }

    private static bool Covers(string domain, string host) =>
        host.Equals(domain, StringComparison.OrdinalIgnoreCase) || (domain.Contains('.', StringComparison.Ordinal) && host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));

    // __Host- cookies must have the path "/".
    private string RefreshPath(HttpContext context) => options.HostCookies ? "/" : site.BasePath(context) + "/session/refresh";

    private void ClearTossed(HttpContext context, string name, string ownPath)
    {
        // No other site can set these.
        if (name.StartsWith("__Host-", StringComparison.Ordinal))
        {
            return;
        }

        var places =
            from path in Paths(context, ownPath)
            from domain in Domains(context)
            where path != ownPath || domain.TrimStart('.') != (Domain(context) ?? "").TrimStart('.')
            select (domain, path);
        foreach (var (domain, path) in places.Take(MaxTossedLines))
        {
            Append(context, name, "", null, path, domain);
        }
    }

    // This host only, then every parent domain; browsers ignore public suffixes and domains that are not parents.
    private IEnumerable<string> Domains(HttpContext context)
    {
        yield return "";
        var host = context.Request.Host.Host;
        if (Uri.CheckHostName(host) != UriHostNameType.Dns || !host.Contains('.', StringComparison.Ordinal))
        {
            host = new Uri(options.ApiDomain).Host;
        }

        if (Uri.CheckHostName(host) == UriHostNameType.Dns)
        {
            for (var labels = host.Split('.'); labels.Length > 1; labels = labels[1..])
            {
                yield return "." + string.Join('.', labels);
            }
        }
    }

    // Every path whose cookies would be sent here, likely ones first.
    private IEnumerable<string> Paths(HttpContext context, string ownPath)
    {
        List<string> paths = [ownPath, "/"];
        List<string> withSlash = [];
        var asked = site.BasePath(context) is var own && context.Request.Path.Value is { } path && path.StartsWith(options.ApiBasePath, StringComparison.OrdinalIgnoreCase)
            ? own + path[options.ApiBasePath.TrimEnd('/').Length..]
            : context.Request.PathBase.Value + context.Request.Path.Value;
        for (var i = 1; i <= asked.Length && !asked.AsSpan(0, i).ContainsAnyExcept(SiteRules.PathCharacters); i++)
        {
            if (i == asked.Length || asked[i] == '/')
            {
                paths.Add(asked[..i]);
                withSlash.Add(asked[..i] + "/");
            }
        }

        // A path with a trailing slash matches only what is below it.
        return paths.Concat(withSlash.SkipLast(1)).Distinct();
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
        if (expires != UntilClosed)
        {
            line.Append("; Expires=").Append((expires ?? DateTimeOffset.UnixEpoch).ToString("R", CultureInfo.InvariantCulture));
        }

        line.Append("; HttpOnly");
        if (site.IsSecure(context))
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

        // The last value wins: drop an earlier line of this response for the same cookie.
        var lines = context.Response.Headers.SetCookie;
        var kept = lines.Count == 0 ? [] : lines.Where(l => l is not null && !(l.StartsWith(name + "=", StringComparison.Ordinal)
            && l.AsSpan(l.IndexOf(';', StringComparison.Ordinal)).StartsWith(identity + "; ", StringComparison.Ordinal))).ToArray();
        context.Response.Headers.SetCookie = new StringValues([.. kept, line]);
    }
}
