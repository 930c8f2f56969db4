using Grid.AspNetCore.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>How an application speaks to Grid and to its browsers. Defaults are those of the SuperTokens SDKs.</summary>
public sealed class GridOptions : GridClientOptions
{
    /// <summary>
    /// Whether every request's session has to live still. Default true: a revoked session is refused at once.
    /// False accepts an access token until it expires, or its signing key is revoked.
    /// </summary>
    public bool CheckEachRequest { get; set; } = true;

    /// <summary>Where browsers find this API, e.g. <c>https://api.example.com</c>. Decides <c>Secure</c> and, with <see cref="WebsiteDomains"/>, <c>SameSite</c>.</summary>
    public string ApiDomain { get; set; } = "http://localhost:8080";

    /// <summary>Origins of the pages that use this API. Default: <see cref="ApiDomain"/>.</summary>
    public IList<string> WebsiteDomains { get; } = [];

    /// <summary>Path of the session endpoints. Default <c>/auth</c>; <c>/</c> for none.</summary>
    public string ApiBasePath { get; set; } = "/auth";

    /// <summary>
    /// What stands before <see cref="ApiBasePath"/> in the browser's address and not in the request that arrives, because a proxy takes it away,
    /// e.g. <c>/svc</c>; the SDKs call it <c>apiGatewayPath</c>. Part of the refresh cookie's path, of <c>iss</c> and of <c>jwks_uri</c>.
    /// Default: the request's <c>PathBase</c>, as <c>UsePathBase</c>, <c>Map</c> and <c>X-Forwarded-Prefix</c> set it.
    /// </summary>
    public string? PublicBasePath { get; set; }

    /// <summary>Cookie or header, where the client leaves the choice to us. Default <see cref="TokenTransfer.Any"/>.</summary>
    public TokenTransfer TokenTransfer { get; set; } = TokenTransfer.Any;

    /// <summary>The cookies' <c>Domain</c>. Default none: this host only.</summary>
    public string? CookieDomain { get; set; }

    /// <summary>The <see cref="CookieDomain"/> of before, whose cookies are cleared when both arrive; empty for "none".</summary>
    public string? OlderCookieDomain { get; set; }

    /// <summary>Default: true if <see cref="ApiDomain"/> is https.</summary>
    public bool? CookieSecure { get; set; }

    /// <summary>Default: <c>Lax</c> if page and API share site and scheme, else <c>None</c>.</summary>
    public SameSiteMode? CookieSameSite { get; set; }

    /// <summary>Path of the access token's cookie. Default <c>/</c>.</summary>
    public string AccessTokenPath { get; set; } = "/";

    /// <summary>
    /// Name the cookies <c>__Host-…</c>, which no other host and no plain-http page can set. Needs <c>Secure</c> and no
    /// <see cref="CookieDomain"/>; the refresh token's cookie then goes to every path. Default false.
    /// </summary>
    public bool HostCookies { get; set; }

    /// <summary>Default: <see cref="AntiCsrfMode.ViaCustomHeader"/> where cookies are <c>SameSite=None</c>, else <see cref="AntiCsrfMode.None"/>.</summary>
    public AntiCsrfMode? AntiCsrf { get; set; }

    /// <summary>Answer to a missing, expired or ended session. Default 401; the clients must be told if it differs.</summary>
    public int SessionExpiredStatusCode { get; set; } = StatusCodes.Status401Unauthorized;

    /// <summary>Answer to a claim that is not as required. Default 403.</summary>
    public int InvalidClaimStatusCode { get; set; } = StatusCodes.Status403Forbidden;

    /// <summary>Also give cookie clients the access token in a header that scripts can read. Default false.</summary>
    public bool ExposeAccessToken { get; set; }

    /// <summary>Sign access tokens with the rotating key (true, default) or with the static one.</summary>
    public bool UseDynamicSigningKey { get; set; } = true;

    /// <summary>Keys of claims that forward-auth hands on as <c>X-Grid-Claim-…</c>; letters, digits and hyphens.</summary>
    public IList<string> ForwardClaims { get; } = [];

    /// <summary>Pages that may wait for the end of their session (<c>/session/events</c>) in this process at once. Default 10,000; each keeps a connection open.</summary>
    public int MaxEventStreams { get; set; } = 10_000;

    /// <summary>Of those, for one session. A browser needs one, whatever number of tabs it has. Default 20.</summary>
    public int MaxEventStreamsPerSession { get; set; } = 20;

    /// <summary>Of those, from one address; loopback ones, where a proxy may be, do not count. Default 1,000: offices and phone networks share addresses.</summary>
    public int MaxEventStreamsPerAddress { get; set; } = 1_000;

    /// <summary>
    /// Types of the claims that <c>HttpContext.SignInAsync(principal)</c> copies into the access token, where scripts can read them. Default
    /// none: <c>sub</c> or <c>NameIdentifier</c> becomes the user id and <c>tid</c> the tenant, everything else stays behind.
    /// </summary>
    public IList<string> PrincipalClaims { get; } = [];

    /// <summary>Claims that every new session gets.</summary>
    public IList<SessionClaim> Claims { get; } = [];

    /// <summary>What every protected endpoint requires, unless it says otherwise.</summary>
    public IList<ClaimValidator> ClaimValidators { get; } = [];
}
