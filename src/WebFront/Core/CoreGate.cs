using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Text;
using Grid.Abstractions.Apps;
using Grid.Revocation.Registry;
using Grid.Tokens;
using Grid.WebFront.Doors;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core;

/// <summary>The checks that every request to the core API passes: API key, address, version, tenant.</summary>
/// <remarks>
/// Order of checks: <c>docs/protocol/core.md</c>, "Every request".
/// Longer than most files: who is let in, and what the others are told, is read in one place.
/// </remarks>
internal sealed partial class CoreGate(
    IAppDirectory apps, InstallationDefaults installation, IMeterFactory meters, TimeProvider clock, ILogger<CoreGate> logger, UpstreamTenants? upstream = null, UpstreamSurvey? survey = null) : IDisposable
{
    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    // Failures per minute and address before the address is throttled.
    private const int MaxWrongKeys = 20;

    private readonly AddressRules _rules = new();
    private readonly ConcurrentDictionary<string, bool> _unserved = new(StringComparer.Ordinal);
    private readonly GuessBrake _brake = new("API key", MaxWrongKeys, meters, clock, logger);

    /// <summary>After routing: lets the request through to its handler, or throws.</summary>
    public async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var request = CoreRequest.Of(context);
        var defaults = installation.Now;
        var host = context.Request.Host.Value ?? "";
        if (ConnectionUriDomain.HasEmptyLabel(host))
        {
            // Not a valid name: it can't identify a domain, and the default domain must not answer for it either.
            throw new CoreException(400, "Host header is invalid: it has two dots in a row or one in front");
        }

        if (survey?.FirstLook() is { } look)
        {
            await look;
        }

        (request.Domain, var app) = await apps.FindAsync(host, request.Path.AppId, context.RequestAborted);
        var endpoint = context.GetEndpoint();
        var route = endpoint?.Metadata.GetMetadata<CoreRoute>();

        // An unknown app is guarded as a new one would be, so that callers without a valid key cannot find out which apps exist.
        var inherited = app is null ? await InheritAsync(request.Domain, context.RequestAborted) : defaults;
        var keys = app?.ApiKeyHashes ?? inherited.ApiKeyHashes;
        var isTrusted = keys.IsEmpty || HoldsKey(PresentedKey(context.Request), keys);
        if (keys.IsEmpty)
        {
            RefusePages(context, request.Domain);
        }
        else if (!isTrusted)
        {
            if (route is null or { NeedsKey: true })
            {
                if (app is null && !string.IsNullOrEmpty(PresentedKey(context.Request)))
                {
                    // It may be one of the app's own.
                    survey?.LookAgain();
                }

                throw WrongKey(context);
            }

            if (route.ForStrangers)
            {
                // The installation's rules: the app's own would reveal that the app exists.
                RefuseAddress(context, null, defaults.IpAllowRegex, defaults.IpDenyRegex);
                await next(context);
                return;
            }
        }

        var (allow, deny) = app is null ? (inherited.IpAllowRegex, inherited.IpDenyRegex) : (app.IpAllowRegex, app.IpDenyRegex);
        if (app is not null && !request.IsPublicTenant && app.TenantIds.Contains(request.TenantId))
        {
            var own = await apps.FindRulesAsync(new TenantKey(app.App, request.TenantId), context.RequestAborted);
            (allow, deny) = (own.IpAllowRegex ?? allow, own.IpDenyRegex ?? deny);
        }

        RefuseAddress(context, app?.App ?? (request.Domain.Length > 0 ? new AppKey(request.Domain, AppKey.PublicId) : null), allow, deny);
        if (endpoint is null)
        {
            throw OfAnotherRecipe(context) ?? new CoreException(404, "Not found");
        }

        if (route is null)
        {
            // Routing's own endpoint for a known path with another method.
            throw OfAnotherRecipe(context) ?? new CoreException(405, "Method not supported");
        }

        request.Version = VersionOf(
            context.Request, route, app is null ? inherited.MinCdiVersion : app.MinCdiVersion, app is null ? inherited.MaxCdiVersion : app.MaxCdiVersion);
        if (request.Path.NamesTenant && request.Version < CdiVersion.V3)
        {
            throw new CoreException(404, "Not found");
        }

        if (route.IsUpstream)
        {
            request.Caller = isTrusted ? app?.App : null;
            await next(context);
            return;
        }

        if (upstream is not null && isTrusted && (app is null || !app.TenantIds.Contains(request.TenantId)))
        {
            app = await upstream.FindAsync(context, app) ?? app;
            if (app is { ApiKeyHashes.IsEmpty: false } && !HoldsKey(PresentedKey(context.Request), app.ApiKeyHashes))
            {
                // Only now it is known that it has keys of its own, and the installation's are none of them.
                throw WrongKey(context);
            }
        }

        if (app is null || (route.NeedsTenant && !app.TenantIds.Contains(request.TenantId)))
        {
            throw CoreException.TenantNotFound(request.Domain, request.Path.AppId, request.TenantId);
        }

        if (!request.IsPublicTenant && IsClosedToTenants(route.Scope, request.Version))
        {
            throw CoreException.Forbidden("Only public tenantId can call this app specific API");
        }

        request.App = app;
        request.Caller = isTrusted ? app.App : null;
        await next(context);
    }

    /// <summary>Whether a request may see what concerns the installation as a whole.</summary>
    /// <param name="context">The request.</param>
    /// <param name="own">Opens it as the installation's API keys do; null for none. No app's keys do.</param>
    /// <exception cref="CoreException">It may not.</exception>
    public void CheckOperator(HttpContext context, TokenHash? own)
    {
        var defaults = installation.Now;
        var keys = own is { } key ? defaults.ApiKeyHashes.Add(key) : defaults.ApiKeyHashes;
        if (keys.IsEmpty)
        {
            RefusePages(context, domain: "");
        }
        else if (!HoldsKey(PresentedKey(context.Request) is { } shown && TryReadPassword(shown, out var password) ? password : PresentedKey(context.Request), keys))
        {
            throw WrongKey(context);
        }

        RefuseAddress(context, null, defaults.IpAllowRegex, defaults.IpDenyRegex);
    }

    /// <summary>The settings of an app in that domain that sets nothing itself.</summary>
    internal async ValueTask<AppDefaults> InheritAsync(string domain, CancellationToken cancellationToken) => domain.Length == 0
        ? installation.Now
        : (await apps.FindAsync(new AppKey(domain, AppKey.PublicId), cancellationToken))?.Effective ?? installation.Now;

    /// <summary>Whether a long-running request that was admitted earlier would still be admitted now.</summary>
    public bool Admits(HttpContext context, AppSnapshot app)
    {
        var hadKeys = !CoreRequest.Of(context).App.ApiKeyHashes.IsEmpty;
        if (hadKeys == app.ApiKeyHashes.IsEmpty || (hadKeys && !HoldsKey(PresentedKey(context.Request), app.ApiKeyHashes)))
        {
            return false;
        }

        try
        {
            RefuseAddress(context, app.App, app.IpAllowRegex, app.IpDenyRegex);
            return true;
        }
        catch (CoreException)
        {
            return false;
        }
    }

    public void Dispose() => _brake.Dispose();

    // Without a key the core API is for programs on this machine, and not for pages that its browsers show.
    private static void RefusePages(HttpContext context, string domain)
    {
        if (ForeignPages.IsFromPage(context.Request))
        {
            throw CoreException.Forbidden("Web pages are refused as long as no API key is set (Grid:Core:ApiKeys): this request has an Origin, or a Sec-Fetch-Site other than 'none'");
        }

        if (domain.Length == 0 && !ForeignPages.NamesThisMachine(context))
        {
            throw CoreException.Forbidden("Without an API key (Grid:Core:ApiKeys) only localhost, names below it and loopback addresses are accepted as host names on this machine: the Host header has another one");
        }
    }

    /// <summary>The API key that a request presents; null or empty if there is none.</summary>
    public static string? PresentedKey(HttpRequest request)
    {
        string? key = request.Headers["api-key"];
        if (string.IsNullOrEmpty(key))
        {
            key = request.Headers.Authorization;
            if (key is not null && key.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            {
                key = key[Bearer.Length..].Trim();
            }
        }

        return key;
    }

    // Browsers have no other way to show a key (RFC 7617).
    private static bool TryReadPassword(string header, out string password)
    {
        password = "";
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[Basic.Length..].Trim(), bytes, out var length))
        {
            return false;
        }

        var pair = Encoding.UTF8.GetString(bytes, 0, length);
        password = pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return true;
    }

    /// <summary>Whether a key is one of these.</summary>
    internal static bool HoldsKey(string? key, ImmutableArray<TokenHash> keys)
    {
        // All keys are compared, each in constant time: the duration reveals nothing about them.
        var presented = TokenHash.Of(key ?? "");
        var accepted = false;
        foreach (var hash in keys)
        {
            accepted |= hash == presented;
        }

        return accepted;
    }

    private CoreException WrongKey(HttpContext context)
    {
        if (_brake.Failed(context.Connection.RemoteIpAddress) is not { } wait)
        {
            return new CoreException(401, "Invalid API key");
        }

        context.Response.Headers.RetryAfter = GuessBrake.Seconds(wait);
        return new CoreException(429, "Invalid API key, and too many of them from this address: please wait");
    }

    private static bool IsClosedToTenants(CoreScope scope, CdiVersion version) => scope switch
    {
        CoreScope.Tenant => false,
        CoreScope.App => true,
        CoreScope.AppSince50 => version >= CdiVersion.V5,
        CoreScope.AppSince56 => version >= CdiVersion.V56,
        _ => throw new ArgumentOutOfRangeException(nameof(scope)),
    };

    // A client that asks for the versions doesn't know them yet; if it sends one anyway, it only affects the tenant check.
    private static CdiVersion VersionOf(HttpRequest request, CoreRoute route, string? min, string? max)
    {
        if (route.NeedsVersion)
        {
            return ReadVersion(request, min, max);
        }

        var isKnown = CdiVersion.TryParse(request.Headers["cdi-version"].ToString(), out var said) && CdiVersion.Supported.Contains(said);
        return isKnown && route.Scope == CoreScope.AppSince50 ? said : CdiVersion.Newest;
    }

    private static CdiVersion ReadVersion(HttpRequest request, string? min, string? max)
    {
        var header = request.Headers["cdi-version"];
        if (header.Count == 0)
        {
            return CdiVersion.Of(max) ?? CdiVersion.Newest;
        }

        if (header.Count > 1 || !CdiVersion.TryParse(header[0] ?? "", out var version))
        {
            throw new CoreException(400, "cdi-version header is invalid");
        }

        return CdiVersion.Supported.Contains(version) && !(version < CdiVersion.Of(min)) && !(version > CdiVersion.Of(max))
            ? version
            : throw new CoreException(400, $"cdi-version {version} not supported");
    }

    private void RefuseAddress(HttpContext context, AppKey? app, string? allow, string? deny)
    {
        if (allow is null && deny is null)
        {
            return;
        }

        // A rule that is no longer valid refuses every address: it was written to keep some out.
        var address = AddressRule.Spell(context.Connection.RemoteIpAddress);
        if ((allow is not null && _rules.IsMatch(app, allow, address) != true) || (deny is not null && _rules.IsMatch(app, deny, address) != false))
        {
            throw CoreException.Forbidden("IP not allowed");
        }
    }

    private CoreException? OfAnotherRecipe(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        if (OtherRecipes.Find(context.Request.Method, path) is not { } recipe)
        {
            return null;
        }

        if (_unserved.TryAdd(recipe, true))
        {
            Log.NotServed(logger, recipe, context.Request.Method, Printable.Of(path));
        }

        return new CoreException(404, OtherRecipes.Explain(recipe));
    }

    private static partial class Log
    {
        [LoggerMessage(3104, LogLevel.Warning, "Grid does not serve {Recipe} of SuperTokens: {Method} {Path} and all further ones are answered 404")]
        public static partial void NotServed(ILogger logger, string recipe, string method, string path);
    }
}
