
namespace Grid.AspNetCore.Tests;

/// <summary>Cookie domain and token transfer that depend on the request.</summary>
public sealed class PerRequestTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("shop.one.example", "; Domain=one.example;")]
    [InlineData("two.example", "; Path=/;")]
    [InlineData("three.example", "; Domain=three.example;")]
    public async Task Each_site_s_cookies_have_its_own_domain_and_are_cleared_there(string host, string expected)
    {
        await using var app = await ClientApp.StartAsync(core, options => options.CookieDomainFor = http => http.Request.Host.Host switch
        {
            "shop.one.example" => " One.example ",
            "two.example" => null,
            var other => other,
        });
        using var browser = app.NewBrowser();

        var signedIn = await browser.PostAsync($"/sign-in?user={_user}", null, ("Host", host));
        var refreshed = await browser.RefreshAsync(("Host", host));
        var signedOut = await browser.PostAsync("/auth/signout", null, ("Host", host));

        foreach (var answer in (FrontAnswer[])[signedIn, refreshed, signedOut])
        {
            Assert.Equal(200, answer.Status);
            Assert.Contains(expected, Assert.Single(answer.SetCookie, line => line.StartsWith("sAccessToken=", StringComparison.Ordinal)), StringComparison.Ordinal);
            Assert.Equal(2, answer.SetCookie.Length);
        }
    }

    [Theory]
    [InlineData("other.example")]
    [InlineData("example")]
    [InlineData("ample")]
    [InlineData("below.shop.example")]
    [InlineData("shop.example; HttpOnly")]
    public async Task A_domain_that_browsers_would_not_take_is_refused_and_no_session_is_made(string domain)
    {
        await using var app = await ClientApp.StartAsync(core, options =>
        {
            options.ApiDomain = "https://shop.example";
            options.CookieDomainFor = _ => domain;
        });
        using var browser = app.NewBrowser();

        Assert.Equal(500, (await browser.PostAsync($"/sign-in?user={_user}", null, ("Host", "shop.example"))).Status);

        Assert.Contains("CookieDomainFor", Assert.Single(app.Log.Lines, line => line.Id == 4001).Text, StringComparison.Ordinal);
        Assert.Empty(await app.Sessions.ListAsync(_user, null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_request_decides_how_its_tokens_travel()
    {
        await using var app = await ClientApp.StartAsync(core, options => options.TokenTransferFor = http =>
            http.Request.Headers.ContainsKey("x-mobile") ? TokenTransfer.Header : TokenTransfer.Cookie);
        using var page = app.NewBrowser("header");
        using var phone = app.NewBrowser();

        var byCookie = await page.PostAsync($"/sign-in?user={_user}");
        var byHeader = await phone.PostAsync($"/sign-in?user={_user}", null, ("x-mobile", "1"));

        Assert.Equal((2, null), (byCookie.SetCookie.Length, byCookie.Header("st-access-token")));
        Assert.Equal((0, true), (byHeader.SetCookie.Length, byHeader.Header("st-access-token") is not null));
        var token = byHeader.Header("st-access-token")!;
        Assert.Equal(200, (await phone.SendAsync("GET", "/me", bearer: token, headers: ("x-mobile", "1"))).Status);
        Assert.Equal(401, (await phone.SendAsync("GET", "/me", bearer: token)).Status);
        var cookie = $"sAccessToken={page.Cookies["sAccessToken"]}";
        Assert.Equal(200, (await phone.SendAsync("GET", "/me", cookie: cookie)).Status);
        Assert.Equal(401, (await phone.SendAsync("GET", "/me", cookie: cookie, headers: ("x-mobile", "1"))).Status);
    }

    [Fact]
    public async Task What_is_no_transfer_is_refused_and_settings_that_exclude_each_other_stop_the_start()
    {
        await using var app = await ClientApp.StartAsync(core, options => options.TokenTransferFor = _ => (TokenTransfer)7);
        using var browser = app.NewBrowser();

        Assert.Equal(500, (await browser.PostAsync($"/sign-in?user={_user}")).Status);

        Assert.Contains("TokenTransferFor", Assert.Single(app.Log.Lines, line => line.Id == 4001).Text, StringComparison.Ordinal);
        Assert.Contains("CookieDomainFor", GridOptionsCheck.Problem(new GridOptions
        {
            ConnectionUri = core.Url,
            ApiDomain = "https://api.example",
            HostCookies = true,
            CookieDomainFor = _ => null,
        }), StringComparison.Ordinal);
    }
}
