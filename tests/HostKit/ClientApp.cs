using System.Net;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.AspNetCore.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.HostKit;

/// <summary>An application that protects its endpoints with <c>AddGrid()</c>, over HTTP to the real core API.</summary>
internal sealed class ClientApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ClientApp(WebApplication app, Uri url, CapturedLog log) => (_app, Url, Log) = (app, url, log);

    public static BooleanClaim EmailVerified { get; } = new("email-verified");

    public Uri Url { get; }

    /// <summary>What the application logged of Grid.</summary>
    public CapturedLog Log { get; }

    public IGridSessions Sessions => Find<IGridSessions>();

    public IServiceProvider Services => _app.Services;

    public TestBrowser NewBrowser(string mode = "cookie") => new(Url, mode);

    /// <summary>Starts it; <paramref name="configure"/> may also set another core.</summary>
    /// <param name="core">Of the sessions.</param>
    /// <param name="configure">Options beside the usual.</param>
    /// <param name="environment">Development or Production.</param>
    /// <param name="services">More services.</param>
    /// <param name="use">The pipeline; null: <c>MapGrid</c> and no more.</param>
    public static async Task<ClientApp> StartAsync(
        CoreHost core, Action<GridOptions>? configure = null, string environment = "Production", Action<IServiceCollection>? services = null, Action<WebApplication>? use = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton<TimeProvider>(core.Clock);
        services?.Invoke(builder.Services);
        builder.Services.AddAuthentication().AddGrid(options =>
        {
            options.ConnectionUri = core.Url;
            options.ApiDomain = "https://api.example.com";
            options.WebsiteDomains.Add("https://app.example.com");
            configure?.Invoke(options);
        });
        builder.Services.AddAuthorizationBuilder().AddPolicy("admin", policy => policy.RequireRole("admin"));
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        (use ?? (plain => plain.MapGrid())).Invoke(app);
        app.MapPost("/sign-in", async (HttpContext http, string user, string? email, string? role, int? fill, string? tenant) =>
        {
            var payload = new JsonObject();
            if (email is not null)
            {
                payload["email"] = email;
            }

            if (fill is { } size)
            {
                payload["fill"] = new string('x', size);
            }

            if (role is not null)
            {
                payload["st-role"] = new JsonObject { ["v"] = new JsonArray(role), ["t"] = 1 };
            }

            return (await http.SignInGridAsync(user, payload, new JsonObject { ["cart"] = 1 }, tenant ?? "public")).Handle;
        });
        app.MapGet("/open", (HttpContext http) => http.GetGridSession()?.UserId ?? "nobody");
        app.MapGet("/me", (HttpContext http) => $"{http.User.Identity!.Name} {http.GetGridSession()!.UserId} {http.User.FindFirst("sid")!.Value == http.GetGridSession()!.Handle}").RequireAuthorization();
        app.MapPost("/act", () => "done").RequireAuthorization();
        app.MapPost("/unguarded", () => "done").RequireAuthorization().WithGrid(new GridEndpoint { CheckAntiCsrf = false });
        app.MapGet("/admin", () => "in").RequireAuthorization("admin");
        app.MapGet("/verified", () => "in").RequireGridClaims(EmailVerified.IsTrue());
        app.MapPost("/verify-email", async (HttpContext http) =>
        {
            await http.GetGridSession()!.SetClaimAsync(EmailVerified, true);
            return "set";
        }).RequireAuthorization();
        app.MapPost("/merge", async (HttpContext http) =>
        {
            await http.GetGridSession()!.MergeIntoPayloadAsync(new JsonObject { ["plan"] = "gold", ["email"] = null });
            return http.GetGridSession()!.PayloadJson;
        }).RequireAuthorization();
        app.MapPost("/assert", async (HttpContext http) =>
        {
            await http.GetGridSession()!.AssertClaimsAsync([EmailVerified.IsTrue()]);
            return "in";
        }).RequireAuthorization();
        app.MapGet("/stored", async (HttpContext http) =>
        {
            var session = http.GetGridSession()!;
            await session.UpdateDataAsync(new JsonObject { ["cart"] = (await session.GetDataAsync()).GetProperty("cart").GetInt32() + 1 });
            var stored = await session.GetInformationAsync();
            return $"{stored.DataJson} {stored.ExpiresAt > stored.CreatedAt} {session.TenantId}";
        }).RequireAuthorization();
        app.MapGet("/checked", () => "in").RequireAuthorization().WithGrid(new GridEndpoint { CheckEachRequest = true });
        app.MapGet("/session", (HttpContext http) => http.GetGridSession()).RequireAuthorization();
        app.MapGet("/until-the-end", async (HttpContext http) =>
        {
            var ended = http.GetGridSession()!.Ended;
            await http.Response.WriteAsync("waiting ");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, ended).ContinueWith(_ => { }, TaskScheduler.Default);
            await http.Response.WriteAsync("ended");
        }).RequireAuthorization();
        app.MapPost("/fill", async (HttpContext http, int size) =>
        {
            await http.GetGridSession()!.MergeIntoPayloadAsync(new JsonObject { ["fill"] = new string('x', size) });
            return "filled";
        }).RequireAuthorization();
        app.MapPost("/sign-out", (HttpContext http) => http.SignOutGridAsync());
        app.MapPost("/sign-out-here", async (HttpContext http) =>
        {
            await http.SignOutGridAsync();
            return "bye";
        });
        app.MapPost("/leave", async (HttpContext http) =>
        {
            await http.GetGridSession()!.RevokeAsync();
            return "bye";
        }).RequireAuthorization();
        await app.StartAsync();
        return new ClientApp(app, new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()), log);
    }

    public T Find<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
