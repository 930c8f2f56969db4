using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore;

/// <summary>Fills in defaults and refuses combinations that are unsafe or cannot work.</summary>
internal sealed class GridOptionsRules : IPostConfigureOptions<GridOptions>, IValidateOptions<GridOptions>
{
    public void PostConfigure(string? name, GridOptions options)
    {
        options.ApiDomain = Trim(options.ApiDomain);
        if (options.WebsiteDomains.Count == 0)
        {
            options.WebsiteDomains.Add(options.ApiDomain);
        }

        for (var i = 0; i < options.WebsiteDomains.Count; i++)
        {
            options.WebsiteDomains[i] = Trim(options.WebsiteDomains[i]);
        }

        options.ApiBasePath = "/" + options.ApiBasePath.Trim('/');
        options.PublicBasePath = options.PublicBasePath?.Trim('/') is { } set ? (set.Length == 0 ? "" : "/" + set) : null;
        options.CookieDomain = Scope(options.CookieDomain);
        options.OlderCookieDomain = Scope(options.OlderCookieDomain);
    }

    public ValidateOptionsResult Validate(string? name, GridOptions options)
    {
        List<string> errors = [];
        foreach (var url in options.WebsiteDomains.Append(options.ApiDomain))
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/")
            {
                errors.Add($"ApiDomain and WebsiteDomains must be origins like https://app.example.com; '{url}' is not one.");
            }
        }

        if (errors.Count > 0)
        {
            return ValidateOptionsResult.Fail(errors);
        }

        var site = new SiteRules(options);
        if (options.SessionExpiredStatusCode == options.InvalidClaimStatusCode)
        {
            errors.Add("SessionExpiredStatusCode and InvalidClaimStatusCode must differ: they tell clients what to do.");
        }

        foreach (var domain in options.WebsiteDomains)
        {
            if ((options.TokenTransfer != TokenTransfer.Header || options.TokenTransferFor is not null) && site.SameSiteFor(domain) == SameSiteMode.None && !site.Secure && !SiteRules.BothLocal(options.ApiDomain, domain))
            {
                errors.Add($"Cookies for {domain} must be SameSite=None, which browsers accept only with Secure: serve ApiDomain over https and leave CookieSecure alone, or set TokenTransfer to Header.");
            }

            if (site.SameSiteFor(domain) == SameSiteMode.None && options.AntiCsrf == AntiCsrfMode.None)
            {
                errors.Add($"AntiCsrf None with SameSite=None cookies (for {domain}) lets any page act for a signed-in user. Leave AntiCsrf unset, or choose ViaToken or ViaCustomHeader.");
            }
        }

        foreach (var (limit, value) in new[]
        {
            (nameof(options.MaxEventStreams), options.MaxEventStreams), (nameof(options.MaxEventStreamsPerSession), options.MaxEventStreamsPerSession),
            (nameof(options.MaxEventStreamsPerAddress), options.MaxEventStreamsPerAddress),
        })
        {
            if (value < 1)
            {
                errors.Add($"{limit} must be at least 1; it is {value}.");
            }
        }

        if (options.HostCookies && (!site.Secure || options.CookieDomain is not null || options.CookieDomainFor is not null || options.AccessTokenPath != "/"))
        {
            errors.Add("HostCookies requires https (Secure), no CookieDomain and no CookieDomainFor, and AccessTokenPath \"/\".");
        }

        foreach (var (setting, path) in (ReadOnlySpan<(string, string?)>)[("ApiBasePath", options.ApiBasePath), ("PublicBasePath", options.PublicBasePath)])
        {
            if (path is not null && path.AsSpan().ContainsAnyExcept(SiteRules.PathCharacters))
            {
                errors.Add($"{setting} must be a path like /auth, of letters, digits, '-', '.', '_', '~', '%' and '/'; '{path}' has other characters.");
            }
        }

        if (options.PrincipalClaims.FirstOrDefault(PayloadClaims.IsSecret) is { } stamp)
        {
            errors.Add($"PrincipalClaims has '{stamp}', which is a secret of the identity store, and scripts can read the access token. Remove it.");
        }

        if (options.PrincipalClaims.FirstOrDefault(PayloadClaims.IsReserved) is { } reserved)
        {
            errors.Add($"PrincipalClaims has '{reserved}', which Grid sets itself. Remove it.");
        }

        foreach (var (setting, type) in (ReadOnlySpan<(string, string)>)[(nameof(options.NameClaimType), options.NameClaimType), (nameof(options.RoleClaimType), options.RoleClaimType)])
        {
            if (string.IsNullOrEmpty(type) || (PayloadClaims.IsReserved(type) && (type, setting) != ("sub", nameof(options.NameClaimType))))
            {
                errors.Add($"{setting} must name a member of the access token's payload; '{type}' is {(string.IsNullOrEmpty(type) ? "empty" : "reserved for Grid")}.");
            }
        }

        if (options.EventsType is { } events && !typeof(GridEvents).IsAssignableFrom(events))
        {
            errors.Add($"EventsType must be a class that derives from GridEvents; {events} does not.");
        }

        if (options.NameClaimType == options.RoleClaimType)
        {
            errors.Add("NameClaimType and RoleClaimType must differ.");
        }

        foreach (var key in options.ForwardClaims.Where(key => key.Length == 0 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')))
        {
            errors.Add($"ForwardClaims become header names and may have only letters, digits and hyphens; '{key}' has other characters.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors.Distinct());
    }

    private static string Trim(string url) => url.Trim().TrimEnd('/');

    // "https://Example.com" and "Example.com" mean example.com; a leading dot is kept, except where a cookie cannot have a domain.
    internal static string? Scope(string? domain)
    {
        if (string.IsNullOrWhiteSpace(domain))
        {
            return domain is null ? null : "";
        }

        // Cookie domains are lower-case ASCII by convention.
#pragma warning disable CA1308
        var text = domain.Trim().ToLowerInvariant();
#pragma warning restore CA1308
        var dotted = text.StartsWith('.');
        text = text.TrimStart('.');
        var host = Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var uri) ? uri.Host : text;
        return dotted && host != "localhost" && uri?.HostNameType == UriHostNameType.Dns ? "." + host : host;
    }
}
