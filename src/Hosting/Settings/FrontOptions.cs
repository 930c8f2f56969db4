using System.Net;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.AspNetCore;
using Grid.WebFront.Front;

namespace Grid.Hosting.Settings;

/// <summary>The browsers' door. Section <c>Grid:Front</c>. Lists are comma-separated.</summary>
internal sealed class FrontOptions
{
    public const string Section = "Grid:Front";

    public FrontOptions() => SettingBinding.SetDefaults(this, Section);

    public bool Enabled { get; set; }

    public string Address { get; set; } = null!;

    public int Port { get; set; }

    public int? MaxConnections { get; set; }

    public int? MaxConnectionsPerAddress { get; set; }

    public string BasePath { get; set; } = null!;

    public string? PublicBasePath { get; set; }

    public string? ApiDomain { get; set; }

    public string? WebsiteDomains { get; set; }

    public string App { get; set; } = null!;

    public TokenTransfer TokenTransfer { get; set; }

    public string? CookieDomain { get; set; }

    public string? OlderCookieDomain { get; set; }

    public bool? CookieSecure { get; set; }

    public SameSiteMode? CookieSameSite { get; set; }

    public bool HostCookies { get; set; }

    public AntiCsrfMode? AntiCsrf { get; set; }

    public int SessionExpiredStatusCode { get; set; }

    public int InvalidClaimStatusCode { get; set; }

    public bool UseDynamicSigningKey { get; set; }

    public string? ForwardClaims { get; set; }

    public bool? FirstPage { get; set; }

    /// <summary>Where browsers find it.</summary>
    public string EffectiveApiDomain => ApiDomain ?? $"http://localhost:{Port}";

    /// <param name="environment">Of the host.</param>
    /// <param name="address">That it listens on.</param>
    public bool ShowsFirstPage(string environment, IPAddress address) => FirstPage ?? (environment == Environments.Development && IPAddress.IsLoopback(address));

    /// <summary>The settings in the form that the front takes.</summary>
    /// <param name="address">That it listens on.</param>
    /// <param name="environment">Decides about the first page.</param>
    /// <param name="connections">Its maximum number of connections; event streams get half of them, which leaves room for requests.</param>
    public FrontSettings ToSettings(IPAddress address, string environment, int? connections = null) => new()
    {
        App = new AppKey("", App),
        ShowsFirstPage = ShowsFirstPage(environment, address),
        RefusesOtherOrigins = environment != Environments.Development,
        Browser = options =>
        {
            Fill(options);
            options.MaxEventStreams = connections is { } all ? Math.Max(1, all / 2) : options.MaxEventStreams;
        },
    };

    /// <exception cref="SettingsException">Settings contradict each other; thrown before anything starts.</exception>
    public void Check()
    {
        var options = new GridOptions();
        Fill(options);
        if (GridOptionsCheck.Problem(options) is { } problem)
        {
            throw new SettingsException($"{Section}: {problem}");
        }
    }

    private void Fill(GridOptions options)
    {
        options.ApiDomain = EffectiveApiDomain;
        options.ApiBasePath = BasePath;
        options.PublicBasePath = PublicBasePath ?? "";
        Add(options.WebsiteDomains, WebsiteDomains);
        Add(options.ForwardClaims, ForwardClaims);
        options.TokenTransfer = TokenTransfer;
        options.CookieDomain = CookieDomain;
        options.OlderCookieDomain = OlderCookieDomain;
        options.CookieSecure = CookieSecure;
        options.CookieSameSite = CookieSameSite;
        options.HostCookies = HostCookies;
        options.AntiCsrf = AntiCsrf;
        options.SessionExpiredStatusCode = SessionExpiredStatusCode;
        options.InvalidClaimStatusCode = InvalidClaimStatusCode;
        options.UseDynamicSigningKey = UseDynamicSigningKey;
    }

    private static void Add(IList<string> list, string? text)
    {
        foreach (var item in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            list.Add(item);
        }
    }
}
