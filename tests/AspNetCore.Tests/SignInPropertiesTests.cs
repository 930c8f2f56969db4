using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Tests;

/// <summary>The properties of <c>HttpContext.SignInAsync(principal, properties)</c> mean what they mean elsewhere, or are refused.</summary>
public sealed class SignInPropertiesTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    public static TheoryData<string, AuthenticationProperties> Refused => new()
    {
        { "ExpiresUtc", new() { ExpiresUtc = DateTimeOffset.UnixEpoch.AddYears(100) } },
        { "IssuedUtc", new() { IssuedUtc = DateTimeOffset.UnixEpoch } },
        { "AllowRefresh", new() { AllowRefresh = false } },
        { "RedirectUri", new() { RedirectUri = "/" } },
        { "Items[\\u0022cart\\u0022]", new(new Dictionary<string, string?> { ["cart"] = "1" }) },
        { "SaveTokens", WithTokens() },
    };

    [Theory]
    [InlineData(null, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Cookies_end_with_the_browser_unless_the_sign_in_is_persistent_at_each_refresh_and_change(bool? isPersistent, bool lasts)
    {
        await using var app = await StartAsync(isPersistent is { } set ? new AuthenticationProperties { IsPersistent = set } : null);
        using var browser = app.NewBrowser();

        Expect(await browser.PostAsync("/go"), 2);
        Expect(await browser.RefreshAsync(("rid", "session")), 2);
        Expect(await browser.PostAsync("/merge", headers: ("rid", "session")), 1);
        Expect(await browser.RefreshAsync(("rid", "session")), 2);
        Assert.Equal(200, (await browser.GetAsync("/me")).Status);

        void Expect(FrontAnswer answer, int cookies)
        {
            var lines = answer.SetCookie.Where(line => line.StartsWith("sAccessToken=e", StringComparison.Ordinal) || (line.StartsWith("sRefreshToken=", StringComparison.Ordinal) && line[14] != ';')).ToArray();
            Assert.Equal((200, cookies), (answer.Status, lines.Length));
            Assert.All(lines, line => Assert.Equal(lasts, line.Contains("; Expires=", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task No_value_of_a_claim_makes_a_persistent_session_end_with_the_browser()
    {
        await using var app = await StartAsync(new AuthenticationProperties { IsPersistent = true }, new Claim(ClaimTypes.Name, "\"grid-until-closed\":true"));
        using var browser = app.NewBrowser();

        Assert.All((await browser.PostAsync("/go")).SetCookie, line => Assert.Contains("; Expires=", line, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task What_a_session_cannot_keep_is_refused_before_it_is_made(string named, AuthenticationProperties properties)
    {
        await using var app = await StartAsync(properties);
        using var browser = app.NewBrowser();

        var refused = await browser.PostAsync("/go");

        Assert.Equal((named, 500), (named, refused.Status));
        Assert.Contains("AuthenticationProperties.", refused.Text, StringComparison.Ordinal);
        Assert.Contains(named.Replace("\\u0022", "\"", StringComparison.Ordinal), refused.Text.Replace("&quot;", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(await app.Sessions.ListAsync(_user, tenantId: null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_changes_nothing_and_the_notes_of_remote_schemes_are_taken()
    {
        await using var app = await StartAsync(new AuthenticationProperties(new Dictionary<string, string?> { [".AuthScheme"] = "oidc", ["OpenIdConnect.Code.RedirectUri"] = "x" }) { AllowRefresh = true, IsPersistent = true });
        using var browser = app.NewBrowser();

        Assert.Equal(200, (await browser.PostAsync("/go")).Status);
        Assert.Equal(200, (await browser.PostAsync("/out", headers: ("rid", "session"))).Status);
        Assert.Equal(401, (await browser.GetAsync("/me")).Status);
    }

    private static AuthenticationProperties WithTokens()
    {
        var properties = new AuthenticationProperties();
        properties.StoreTokens([new AuthenticationToken { Name = "access_token", Value = "SECRET" }]);
        return properties;
    }

    private Task<ClientApp> StartAsync(AuthenticationProperties? properties, params Claim[] claims) => ClientApp.StartAsync(core, environment: "Development", use: app =>
    {
        app.MapGrid();
        app.MapPost("/go", (HttpContext http) => http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, _user), .. claims], "Test")), properties));
        app.MapPost("/out", (HttpContext http) => http.SignOutAsync(new AuthenticationProperties { RedirectUri = "/" }));
    });
}
