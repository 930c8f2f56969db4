using System.Security.Claims;
using Grid.AspNetCore.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>How an application talks to Grid and to browsers. The defaults are those of the SuperTokens SDKs.</summary>
public sealed class GridOptions : GridClientOptions
{
    /// <summary>
    /// Whether to check on every request that the session is still active. Default true: a revoked session is refused at once.
    /// False accepts an access token until it expires or its signing key is revoked.
    /// </summary>
    public bool CheckEachRequest { get; set; } = true;

    /// <summary>
    /// The origin at which browsers reach this API, e.g. <c>https://api.example.com</c>. Determines <c>Secure</c> and, with
    /// <see cref="WebsiteDomains"/>, <c>SameSite</c>.
    /// </summary>
    public string ApiDomain { get; set; } = "http://localhost:8080";

    /// <summary>Origins of the pages that use this API. Default: <see cref="ApiDomain"/>.</summary>
    public IList<string> WebsiteDomains { get; } = [];

    /// <summary>
    /// Base path of the session endpoints. Default <c>/auth</c>, of a further scheme <c>/scheme/auth</c>; <c>/</c> for the root.
    /// </summary>
    public string ApiBasePath { get; set; } = "/auth";

    /// <summary>
    /// The prefix that a proxy strips before <see cref="ApiBasePath"/>, e.g. <c>/svc</c>; the SDKs call it <c>apiGatewayPath</c>. Becomes part
    /// of the refresh cookie's path, of <c>iss</c> and of <c>jwks_uri</c>.
    /// Default: the request's <c>PathBase</c>, as set by <c>UsePathBase</c>, <c>Map</c> or <c>X-Forwarded-Prefix</c>.
    /// </summary>
    public string? PublicBasePath { get; set; }

    /// <summary>Whether tokens travel by cookie or by header. Default <see cref="TokenTransfer.Any"/>.</summary>
    public TokenTransfer TokenTransfer { get; set; } = TokenTransfer.Any;

    /// <summary>
    /// Whether the tokens of a request travel by cookie or by header, in place of <see cref="GridOptions.TokenTransfer"/>: such as <see cref="AspNetCore.TokenTransfer.Header"/>
    /// below <c>/mobile</c>. It is asked for every request, sign-in and refresh included. Default none.
    /// </summary>
    public Func<HttpContext, TokenTransfer>? TokenTransferFor { get; set; }

    /// <summary>The cookies' <c>Domain</c> attribute. Default none: this host only.</summary>
    public string? CookieDomain { get; set; }

    /// <summary>
    /// The cookies' <c>Domain</c> for a request, in place of <see cref="CookieDomain"/>: for an application of several sites. It must be the
    /// request's host or a domain above it, or null for this host only; of an other one the request is refused with 500, and the log says why.
    /// Default none.
    /// </summary>
    public Func<HttpContext, string?>? CookieDomainFor { get; set; }

    /// <summary>
    /// The previous <see cref="CookieDomain"/>. Its cookies are cleared when a browser sends both; empty if there was none.
    /// </summary>
    public string? OlderCookieDomain { get; set; }

    /// <summary>The cookies' <c>Secure</c> attribute. Default: true if <see cref="ApiDomain"/> is https.</summary>
    public bool? CookieSecure { get; set; }

    /// <summary>
    /// The cookies' <c>SameSite</c> attribute. Default: <c>Lax</c> if page and API share site and scheme, otherwise <c>None</c>.
    /// </summary>
    public SameSiteMode? CookieSameSite { get; set; }

    /// <summary>The path of the access token's cookie. Default <c>/</c>.</summary>
    public string AccessTokenPath { get; set; } = "/";

    /// <summary>
    /// Whether to use <c>__Host-</c> cookies, which neither another host nor a plain-http page can set. Requires <c>Secure</c> and no
    /// <see cref="CookieDomain"/>; the refresh token's cookie is then sent to every path. Default false.
    /// </summary>
    public bool HostCookies { get; set; }

    /// <summary>
    /// The protection against CSRF. Default: <see cref="AntiCsrfMode.ViaCustomHeader"/> if cookies are <c>SameSite=None</c>, otherwise
    /// <see cref="AntiCsrfMode.None"/>.
    /// </summary>
    public AntiCsrfMode? AntiCsrf { get; set; }

    /// <summary>
    /// Status code for a missing, expired or ended session. Default 401; if you change it, configure the browser SDKs to match.
    /// </summary>
    public int SessionExpiredStatusCode { get; set; } = StatusCodes.Status401Unauthorized;

    /// <summary>Status code for a claim that fails validation. Default 403.</summary>
    public int InvalidClaimStatusCode { get; set; } = StatusCodes.Status403Forbidden;

    /// <summary>Whether cookie clients also get the access token in a header that scripts can read. Default false.</summary>
    public bool ExposeAccessToken { get; set; }

    /// <summary>Whether a rotating key signs access tokens (true, the default) or the app's static key.</summary>
    public bool UseDynamicSigningKey { get; set; } = true;

    /// <summary>Keys of claims that forward-auth passes on as <c>X-Grid-Claim-…</c>; letters, digits and hyphens.</summary>
    public IList<string> ForwardClaims { get; } = [];

    /// <summary>
    /// Maximum number of open event streams (<c>/session/events</c>) in this process; each keeps a connection open. Default 10,000.
    /// </summary>
    public int MaxEventStreams { get; set; } = 10_000;

    /// <summary>Maximum number of open event streams per session. A browser needs one, however many tabs it has. Default 20.</summary>
    public int MaxEventStreamsPerSession { get; set; } = 20;

    /// <summary>
    /// Maximum number of open event streams per client address. Offices and mobile networks share addresses; loopback addresses, which may
    /// be a proxy's, are exempt. Default 1,000.
    /// </summary>
    public int MaxEventStreamsPerAddress { get; set; } = 1_000;

    /// <summary>
    /// Types of the claims that <c>HttpContext.SignInAsync(principal)</c> copies into the access token, where scripts can read them. Default
    /// <see cref="ClaimTypes.Name"/> and <see cref="ClaimTypes.Role"/>: the identity's name and roles, whatever types it has for them.
    /// <c>*</c> means every type, except the identity store's security stamp and what another token says of itself (<c>aud</c>,
    /// <c>nonce</c>, …): make sure that none is a secret. <c>sub</c> or <c>NameIdentifier</c> always becomes the user id,
    /// and <c>tid</c> the tenant.
    /// </summary>
    public IList<string> PrincipalClaims { get; } = [ClaimTypes.Name, ClaimTypes.Role];

    /// <summary>
    /// The member of the access token's payload that becomes <c>User.Identity.Name</c> (<see cref="ClaimTypes.Name"/>), and in which
    /// <c>HttpContext.SignInAsync(principal)</c> keeps the name. Default <c>name</c>. The user id where the payload has none, and always for
    /// <c>sub</c>.
    /// </summary>
    public string NameClaimType { get; set; } = "name";

    /// <summary>
    /// The member of the access token's payload that has the roles (<see cref="ClaimTypes.Role"/>), and in which
    /// <c>HttpContext.SignInAsync(principal)</c> keeps them. Default <c>st-role</c>, as in the SuperTokens SDKs. A string or a list of
    /// strings, as such or in a <see cref="SessionClaim"/>.
    /// </summary>
    public string RoleClaimType { get; set; } = "st-role";

    /// <summary>What the application does when a request is refused. Default nothing: the answers are those of the SuperTokens SDKs.</summary>
    public GridEvents Events { get; set; } = new();

    /// <summary>A service that derives from <see cref="GridEvents"/> and takes the place of <see cref="Events"/>: one per request, if it is scoped. Default none.</summary>
    public Type? EventsType { get; set; }

    /// <summary>Claims that are fetched for every new session.</summary>
    public IList<SessionClaim> Claims { get; } = [];

    /// <summary>What every protected endpoint requires unless it overrides it.</summary>
    public IList<ClaimValidator> ClaimValidators { get; } = [];
}
