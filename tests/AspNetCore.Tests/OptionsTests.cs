using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Tests;

/// <summary>Defaults, and combinations that are refused.</summary>
public sealed class OptionsTests
{
    [Theory]
    [InlineData("https://api.example.com", "https://app.example.com", "Lax")]
    [InlineData("https://example.com", "https://example.com", "Lax")]
    [InlineData("https://api.example.co.uk", "https://other.co.uk", "None")]
    [InlineData("https://api.example.co.uk", "https://www.example.co.uk", "Lax")]
    [InlineData("https://api.example.com", "https://example.org", "None")]
    [InlineData("https://api.example.com", "http://app.example.com", "None")]
    [InlineData("http://localhost:8080", "http://localhost:3000", "Lax")]
    [InlineData("http://localhost:8080", "http://127.0.0.1:3000", "None")]
    public void Same_site_follows_the_domains(string api, string website, string expected)
    {
        var options = new GridOptions { ApiDomain = api };
        options.WebsiteDomains.Add(website);

        Assert.Null(GridOptionsCheck.Problem(options));
        Assert.Equal(expected, new SiteRules(options).SameSiteFor(website).ToString());
        Assert.Equal(expected == "None" ? AntiCsrfMode.ViaCustomHeader : AntiCsrfMode.None, new SiteRules(options).AntiCsrf(new DefaultHttpContext()));
    }

    public static TheoryData<string, Action<GridOptions>> Refused => new()
    {
        { "https", o => (o.ApiDomain, o.WebsiteDomains[0]) = ("http://api.example.com", "http://elsewhere.org") },
        { "https", o => (o.CookieSecure, o.WebsiteDomains[0]) = (false, "https://elsewhere.org") },
        { "AntiCsrf None", o => (o.AntiCsrf, o.CookieSameSite) = (AntiCsrfMode.None, SameSiteMode.None) },
        { "must differ", o => o.InvalidClaimStatusCode = 401 },
        { "HostCookies", o => (o.HostCookies, o.CookieDomain) = (true, "example.com") },
        { "HostCookies", o => (o.HostCookies, o.ApiDomain) = (true, "http://app.example.com") },
        { "origins like", o => o.ApiDomain = "api.example.com" },
        { "origins like", o => o.WebsiteDomains[0] = "https://app.example.com/path" },
        { "RevocationTimeout", o => o.RevocationTimeout = TimeSpan.Zero },
        { "Timeout", o => o.Timeout = Timeout.InfiniteTimeSpan },
        { "ForwardClaims", o => o.ForwardClaims.Add("a b") },
    };

    [Theory, MemberData(nameof(Refused))]
    public void Unsafe_or_senseless_combinations_are_refused_with_the_repair(string words, Action<GridOptions> change)
    {
        var options = new GridOptions { ApiDomain = "https://api.example.com" };
        options.WebsiteDomains.Add("https://app.example.com");
        Assert.Null(GridOptionsCheck.Problem(options));

        change(options);

        Assert.Contains(words, GridOptionsCheck.Problem(options), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".Example.com", ".example.com")]
    [InlineData("https://example.com:3000", "example.com")]
    [InlineData(".localhost", "localhost")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("", "")]
    public void Cookie_domains_are_normalised(string given, string expected)
    {
        var options = new GridOptions { CookieDomain = given };

        Assert.Null(GridOptionsCheck.Problem(options));
        Assert.Equal(expected, options.CookieDomain);
    }
}
