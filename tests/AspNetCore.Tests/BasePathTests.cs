using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;

namespace Grid.AspNetCore.Tests;

/// <summary>Applications below a path: cookies and addresses are those that the browser sees.</summary>
public sealed class BasePathTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public Task Use_path_base_is_part_of_every_address() => CheckAsync("/svc", "/svc", null, app =>
    {
        app.UsePathBase("/svc");
        app.UseRouting();
        Map(app);
    });

    [Fact]
    public Task A_prefix_that_the_proxy_takes_away_and_names_is_part_of_every_address() => CheckAsync(
        "",
        "/shop/eu",
        null,
        app =>
        {
            app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedPrefix });
            app.UseRouting();
            Map(app);
        },
        ("X-Forwarded-Prefix", "/shop/eu"));

    [Fact]
    public Task A_prefix_that_the_proxy_takes_away_without_a_word_is_set() => CheckAsync("", "/svc", o => o.PublicBasePath = "svc/", Map);

    [Fact]
    public Task A_group_s_prefix_is_part_of_every_address() => CheckAsync("/inner/most", "/inner/most", null, app =>
    {
        app.MapGroup("/inner").MapGroup("most").MapGrid();
        app.MapPost("/inner/most/go", SignIn);
    });

    [Fact]
    public Task Without_any_nothing_changes() => CheckAsync("", "", null, Map);

    [Fact]
    public async Task A_prefix_that_no_cookie_could_carry_is_not_believed()
    {
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedPrefix });
            app.UseRouting();
            Map(app);
        });
        using var browser = app.NewBrowser();

        var answer = await browser.PostAsync($"/go?user={_user}", null, ("X-Forwarded-Prefix", "/a;Domain=example.com"));

        Assert.StartsWith("set; Path=/auth/session/refresh; ", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
    }

    private static void Map(WebApplication app)
    {
        app.MapGrid();
        app.MapPost("/go", SignIn);
    }

    private static async Task SignIn(HttpContext http, string user) => await http.SignInGridAsync(user);

    private async Task CheckAsync(string arriving, string seen, Action<GridOptions>? configure, Action<WebApplication> use, params (string, string)[] headers)
    {
        await using var app = await ClientApp.StartAsync(core, configure, use: use);
        using var browser = app.NewBrowser();
        foreach (var answer in (FrontAnswer[])[await browser.PostAsync($"{arriving}/go?user={_user}", null, headers), await browser.PostAsync($"{arriving}/auth/session/refresh", null, headers)])
        {
            Assert.Equal(200, answer.Status);
            Assert.Equal($"set; Path={seen}/auth/session/refresh; Expires=100 days; HttpOnly; Secure; SameSite=Lax", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()));
            Assert.Equal($"https://api.example.com{seen}/auth", answer.Front["up"]!["iss"]!.GetValue<string>());
        }

        Assert.Equal(
            $$"""{"issuer":"https://api.example.com{{seen}}/auth","jwks_uri":"https://api.example.com{{seen}}/auth/jwt/jwks.json"}""",
            (await browser.GetAsync($"{arriving}/auth/.well-known/openid-configuration", headers)).Text);

        // The page's script works out the rest from its own address.
        var script = await browser.GetAsync($"{arriving}/auth/session/events.js", headers);
        Assert.Contains("document.currentScript.src", script.Text, StringComparison.Ordinal);
        var left = await browser.PostAsync($"{arriving}/auth/signout", null, headers);
        Assert.StartsWith($"cleared; Path={seen}/auth/session/refresh; ", left.Cookie("sRefreshToken", default), StringComparison.Ordinal);
    }
}
