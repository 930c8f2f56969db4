using System.ComponentModel.DataAnnotations;

namespace Grid.Silo.Settings;

/// <summary>The browsers' door. Section <c>Grid:Front</c>. Lists are comma-separated.</summary>
internal sealed class FrontOptions
{
    public const string Section = "Grid:Front";

    /// <summary>Whether to open it. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Address to listen on. Default 127.0.0.1.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port. Default 8080; 0 takes a free one.</summary>
    [Range(0, 65535, ErrorMessage = "Grid:Front:Port must lie between 0 and 65535.")]
    public int Port { get; set; } = 8080;

    /// <summary>Connections at once; further ones are closed. Default: what the process may open, beside what it and the core API need; at most 20000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Grid:Front:MaxConnections must lie between 1 and 1000000.")]
    public int? MaxConnections { get; set; }

    /// <summary>Of those, from one address; loopback ones do not count. Default: half. A proxy on another machine may need all.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Grid:Front:MaxConnectionsPerAddress must lie between 1 and 1000000.")]
    public int? MaxConnectionsPerAddress { get; set; }

    /// <summary>Path of the session endpoints. Default /auth.</summary>
    [Required]
    public string BasePath { get; set; } = "/auth";

    /// <summary>What a proxy takes away before BasePath, e.g. /svc. Default nothing.</summary>
    public string? PublicBasePath { get; set; }

    /// <summary>Where browsers find it. Default http://localhost:PORT.</summary>
    public string? ApiDomain { get; set; }

    /// <summary>Origins of the pages that use it. Default: ApiDomain.</summary>
    public string? WebsiteDomains { get; set; }

    /// <summary>The app whose sessions it serves. Default public.</summary>
    [Required]
    public string App { get; set; } = "public";

    /// <summary>any, cookie or header. Default any: as the client asks.</summary>
    public string TokenTransfer { get; set; } = "any";

    /// <summary>Domain of the cookies. Default none.</summary>
    public string? CookieDomain { get; set; }

    /// <summary>The CookieDomain of before, whose cookies are cleared; empty for none. Default unset.</summary>
    public string? OlderCookieDomain { get; set; }

    /// <summary>Default: true if ApiDomain is https.</summary>
    public bool? CookieSecure { get; set; }

    /// <summary>lax, strict or none. Default: by the domains.</summary>
    public string? CookieSameSite { get; set; }

    /// <summary>Names cookies __Host-…. Default false.</summary>
    public bool HostCookies { get; set; }

    /// <summary>NONE, VIA_TOKEN or VIA_CUSTOM_HEADER. Default: by the domains.</summary>
    public string? AntiCsrf { get; set; }

    /// <summary>Answer to a missing, expired or ended session. Default 401.</summary>
    [Range(400, 499, ErrorMessage = "Grid:Front:SessionExpiredStatusCode must lie between 400 and 499.")]
    public int SessionExpiredStatusCode { get; set; } = 401;

    /// <summary>Answer to a claim that is not as required. Default 403.</summary>
    [Range(400, 499, ErrorMessage = "Grid:Front:InvalidClaimStatusCode must lie between 400 and 499.")]
    public int InvalidClaimStatusCode { get; set; } = 403;

    /// <summary>Sign with the rotating key. Default true.</summary>
    public bool UseDynamicSigningKey { get; set; } = true;

    /// <summary>Claims that forward-auth hands on as X-Grid-Claim-… headers. Default none.</summary>
    public string? ForwardClaims { get; set; }

    /// <summary>Show Grid at work on /. It signs in whoever asks. Default: in environment Development, on a loopback address.</summary>
    public bool? FirstPage { get; set; }
}
