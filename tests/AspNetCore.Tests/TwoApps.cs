using System.Net;
using System.Security.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.AspNetCore.Tests;

/// <summary>A program that serves two apps of one Grid: a shop by the first scheme, which is the default, and its administration by the scheme <c>admin</c>.</summary>
internal sealed class TwoApps : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TwoApps(WebApplication app, Uri url) => (_app, Url) = (app, url);

    public Uri Url { get; }

    public IGridSessions Shop => _app.Services.GetRequiredService<IGridSessions>();

    public IGridSessions Admin => _app.Services.GetRequiredKeyedService<IGridSessions>("admin");

    public static async Task<TwoApps> StartAsync(
        TimeProvider clock, Uri shop, Uri admin, Action<GridOptions>? configureShop = null, Action<GridOptions>? configureAdmin = null,
        string? defaultScheme = "Grid", Action<IServiceCollection>? services = null, Action<WebApplication>? use = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(clock);
        (defaultScheme is null ? builder.Services.AddAuthentication() : builder.Services.AddAuthentication(defaultScheme))
            .AddGrid(grid => Configure(grid, shop, configureShop))
            .AddGrid("admin", grid => Configure(grid, admin, configureAdmin));
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy("admin", policy => policy.AddAuthenticationSchemes("admin").RequireAuthenticatedUser())
            .AddPolicy("either", policy => policy.AddAuthenticationSchemes("admin", "Grid").RequireAuthenticatedUser());
        services?.Invoke(builder.Services);
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapGrid();
        app.MapGrid("admin");
        app.MapPost("/sign-in", (HttpContext http, string user) => SignInAsync(http, user));
        app.MapGet("/open", User);
        app.MapGet("/open-by-name", (HttpContext http, string scheme) => http.GetGridSession(scheme)?.UserId ?? "nobody");
        app.MapPost("/sign-out", (HttpContext http) => http.SignOutGridAsync());
        app.MapPost("/sign-out-by-name", (HttpContext http, string scheme) => http.SignOutGridAsync(scheme));
        app.MapGet("/me", User).RequireAuthorization(policy => policy.AddAuthenticationSchemes("Grid").RequireAuthenticatedUser());
        app.MapGet("/either", User).RequireAuthorization("either");
        app.MapGet("/either-verified", User).RequireAuthorization("either").RequireGridClaims(ClientApp.EmailVerified.IsTrue());
        var administration = app.MapGroup("/admin").RequireAuthorization("admin");
        administration.MapPost("/sign-in", (HttpContext http, string user) => SignInAsync(http, user)).AllowAnonymous();
        administration.MapPost("/sign-in-principal", (HttpContext http, string user) =>
            http.SignInAsync("admin", new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", user), new Claim(ClaimTypes.Role, "owner")], "test")))).AllowAnonymous();
        administration.MapGet("/me", User);
        administration.MapGet("/bound", (GridSession session) => session.UserId);
        administration.MapGet("/principal", (HttpContext http) => $"{http.User.Identity!.AuthenticationType} {http.User.Identity.Name} {http.User.IsInRole("owner")}");
        administration.MapGet("/optional", (GridSession? session) => session?.UserId ?? "nobody").AllowAnonymous();
        administration.MapGet("/verified", User).RequireGridClaims(ClientApp.EmailVerified.IsTrue());
        administration.MapPost("/verify", async (GridSession session) => await session.SetClaimAsync(ClientApp.EmailVerified, true));
        administration.MapPost("/sign-out", (HttpContext http) => http.SignOutGridAsync()).AllowAnonymous();
        administration.MapGet("/until-the-end", UntilTheEndAsync).EndsWithGridSession();
        app.MapGet("/until-the-end", UntilTheEndAsync).RequireAuthorization("either").EndsWithGridSession();
        use?.Invoke(app);
        await app.StartAsync();
        return new TwoApps(app, new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()));
    }

    public TestBrowser NewBrowser(string mode = "cookie") => new(Url, mode);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static void Configure(GridOptions grid, Uri core, Action<GridOptions>? more)
    {
        (grid.ConnectionUri, grid.ApiDomain) = (core, "https://api.example.com");
        grid.WebsiteDomains.Add("https://app.example.com");
        more?.Invoke(grid);
    }

    private static string User(HttpContext http) => http.GetGridSession()?.UserId ?? "nobody";

    private static async Task<string> SignInAsync(HttpContext http, string user) => (await http.SignInGridAsync(user)).Handle;

    private static async Task UntilTheEndAsync(HttpContext http)
    {
        await http.Response.WriteAsync("waiting");
        await http.Response.Body.FlushAsync();
        await Task.Delay(Timeout.Infinite, http.RequestAborted);
    }
}
