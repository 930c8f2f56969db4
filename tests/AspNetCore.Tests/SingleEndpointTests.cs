using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>The parts of <c>MapGrid()</c>, each with what an application wants of it alone.</summary>
public sealed class SingleEndpointTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task Each_part_is_mapped_alone_and_nothing_else_with_it()
    {
        (string Path, string Method, Action<WebApplication> Map)[] parts =
        [
            ("/auth/session/refresh", "POST", app => app.MapGridRefresh()),
            ("/auth/signout", "POST", app => app.MapGridSignOut()),
            ("/auth/session/events.js", "GET", app => app.MapGridEvents()),
            ("/auth/jwt/jwks.json", "GET", app => app.MapGridKeys()),
            ("/auth/.well-known/openid-configuration", "GET", app => app.MapGridKeys()),
            ("/auth/verify", "GET", app => app.MapGridForwardAuth()),
        ];
        foreach (var (path, _, map) in parts)
        {
            await using var app = await ClientApp.StartAsync(core, use: map);
            using var browser = app.NewBrowser();
            foreach (var other in parts)
            {
                var status = (await browser.SendAsync(other.Method, other.Path)).Status;
                Assert.Equal((path, other.Path, other.Map.Method == map.Method || (path + other.Path).Contains("jwks", StringComparison.Ordinal) && (path + other.Path).Contains("openid", StringComparison.Ordinal)), (path, other.Path, status != 404));
            }
        }
    }

    [Fact]
    public async Task A_part_takes_filters_and_rate_limits_of_its_own()
    {
        List<int> seen = [];
        await using var app = await ClientApp.StartAsync(
            core,
            services: services => services.AddRateLimiter(limits =>
            {
                limits.RejectionStatusCode = 429;
                limits.AddFixedWindowLimiter("refreshes", window => (window.PermitLimit, window.Window) = (2, TimeSpan.FromDays(1)));
            }),
            use: app =>
            {
                app.UseRateLimiter();
                app.MapGridRefresh().RequireRateLimiting("refreshes").AddEndpointFilter(async (call, next) =>
                {
                    if (call.HttpContext.Request.Headers.ContainsKey("x-blocked"))
                    {
                        return Results.StatusCode(418);
                    }

                    var result = await next(call);
                    seen.Add(call.HttpContext.Response.StatusCode);
                    return result;
                });
                app.MapGridSignOut();
            });
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal(418, (await browser.RefreshAsync(("x-blocked", "1"))).Status);
        var refreshed = await browser.RefreshAsync();
        Assert.Equal((200, "set; Path=/auth/session/refresh; Expires=100 days; HttpOnly; Secure; SameSite=Lax"), (refreshed.Status, refreshed.Cookie("sRefreshToken", core.Clock.GetUtcNow())));
        Assert.Equal(429, (await browser.RefreshAsync()).Status);
        Assert.Equal(200, (await browser.PostAsync("/auth/signout")).Status);
        Assert.Equal([200], seen);
    }

    [Fact]
    public async Task The_refresh_cookie_goes_where_the_single_endpoint_is_mapped()
    {
        await using var app = await ClientApp.StartAsync(core, use: app => app.MapGroup("/svc").MapGridRefresh());
        using var browser = app.NewBrowser();

        var answer = await browser.PostAsync($"/sign-in?user={_user}");

        Assert.StartsWith("set; Path=/svc/auth/session/refresh; ", answer.Cookie("sRefreshToken", core.Clock.GetUtcNow()), StringComparison.Ordinal);
    }
}
