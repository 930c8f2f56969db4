using System.Net;
using System.Security.Claims;
using Grid.Client;
using Grid.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.AspNetCore.Tests;

/// <summary>An application with pages and a cookie, whose tickets are in Grid. Two of them with the same keys are two processes of one application.</summary>
internal sealed class CookieApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _calls;

    private CookieApp(WebApplication app, Uri url, CapturedLog log) => (_app, Url, Log) = (app, url, log);

    public Uri Url { get; private set; }

    /// <summary>What the application logged of Grid.</summary>
    public CapturedLog Log { get; }

    /// <summary>Calls of the core API so far.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Runs in a renewal, between what it reads and what it writes.</summary>
    public Func<Task>? BeforeUpdate { get; set; }

    /// <summary>Answers a revocation, whose body it is given, in the core API's place; null leaves it to that.</summary>
    public Func<string, HttpResponseMessage?>? InsteadOfRevocation { get; set; }

    /// <summary>What <c>/slow</c> waits for.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set when <c>/slow</c> waits.</summary>
    public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IGridSessions Sessions => _app.Services.GetRequiredService<IGridSessions>();

    public IServiceProvider Services => _app.Services;

    public TestBrowser NewBrowser() => new(Url, followsRedirects: false);

    /// <summary>Starts one.</summary>
    /// <param name="core">The core API's address.</param>
    /// <param name="keys">Data Protection's; default new ones.</param>
    /// <param name="clock">The cookie handler's; default real time.</param>
    /// <param name="cookie">More of the cookie's options.</param>
    /// <param name="store">Options of the ticket store.</param>
    /// <param name="services">More services.</param>
    /// <param name="use">More endpoints.</param>
    public static async Task<CookieApp> StartAsync(
        Uri core, IDataProtectionProvider? keys = null, SkippingTime? clock = null, Action<CookieAuthenticationOptions>? cookie = null, Action<GridTicketStoreOptions>? store = null,
        Action<IServiceCollection>? services = null, Action<WebApplication>? use = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        var log = new CapturedLog();
        CookieApp? self = null;
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton(keys ?? new EphemeralDataProtectionProvider());
        builder.Services.AddGridClient(grid => grid.ConnectionUri = core);
        builder.Services.AddHttpClient(GridClientDefaults.HttpClientName).AddHttpMessageHandler(() => new Counter(() => self!));
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options =>
        {
            options.TimeProvider = clock;
            options.LoginPath = "/login";
            options.Events.OnValidatePrincipal = ReplaceAsync;
            cookie?.Invoke(options);
        }).AddGridTicketStore(store ?? (_ => { }));
        builder.Services.AddAuthorization();
        services?.Invoke(builder.Services);
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        Map(app);
        use?.Invoke(app);
        self = new CookieApp(app, null!, log);
        app.MapGet("/slow", async (HttpContext http, CancellationToken cancel) =>
        {
            self.Waiting.TrySetResult();
            await self.Gate.Task.WaitAsync(cancel);
            return "done";
        }).RequireAuthorization();
        await app.StartAsync();
        self.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return self;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    // As Identity does it when the stored user has changed.
    private static Task ReplaceAsync(CookieValidatePrincipalContext context)
    {
        if (context.Request.Headers["replace"] is [{ } user])
        {
            var parts = user.Split(' ');
            context.ReplacePrincipal(new ClaimsPrincipal(new ClaimsIdentity(
                [new Claim(ClaimTypes.NameIdentifier, parts[0]), new Claim(ClaimTypes.Name, parts[0]), new Claim(ClaimTypes.Role, parts[1])], "Cookies")));
            context.ShouldRenew = true;
        }

        return Task.CompletedTask;
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/login", () => "who are you?");
        app.MapPost("/sign-in", async (HttpContext http, string? user, string? role, bool? persistent, int? fill, string? tenant) =>
        {
            var identity = new ClaimsIdentity(CookieAuthenticationDefaults.AuthenticationScheme);
            foreach (var (type, value) in new[] { (ClaimTypes.NameIdentifier, user), (ClaimTypes.Name, user), (ClaimTypes.Role, role), ("tid", tenant), ("fill", fill is { } size ? new string('x', size) : null) })
            {
                if (value is not null)
                {
                    identity.AddClaim(new Claim(type, value));
                }
            }

            await http.SignInAsync(new ClaimsPrincipal(identity), new AuthenticationProperties { IsPersistent = persistent == true });
            return http.GetGridSessionHandle();
        });
        app.MapGet("/open", (HttpContext http) => http.User.Identity!.Name ?? "nobody");
        app.MapGet("/me", (HttpContext http) => $"{http.User.Identity!.Name} {string.Join(",", http.User.FindAll(ClaimTypes.Role).Select(role => role.Value))}").RequireAuthorization();
        app.MapGet("/handle", async (HttpContext http, CancellationToken cancel) => (await http.AuthenticateAsync()).Properties?.GetGridSessionHandle() == http.GetGridSessionHandle() ? http.GetGridSessionHandle() : "different");
        app.MapGet("/tamper", async (HttpContext http) =>
        {
            ((ClaimsIdentity)http.User.Identity!).AddClaim(new Claim(ClaimTypes.Role, "admin"));
            (await http.AuthenticateAsync()).Properties!.Items["tampered"] = "yes";
        }).RequireAuthorization();
        app.MapGet("/properties", async (HttpContext http, CancellationToken cancel) => string.Join(",", (await http.AuthenticateAsync()).Properties!.Items.Keys)).RequireAuthorization();
        app.MapPost("/sign-out", (HttpContext http) => http.SignOutAsync());
        app.MapPost("/sign-in-twice-and-out", async (HttpContext http, string user) =>
        {
            List<string> handles = [];
            for (var i = 0; i < 2; i++)
            {
                await http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user)], "x")));
                handles.Add(http.GetGridSessionHandle()!);
            }

            await http.SignOutAsync();
            return handles;
        });
        app.MapGet("/sessions", (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
            sessions.ListAsync(http.User.FindFirstValue(ClaimTypes.NameIdentifier)!, tenantId: null, cancel)).RequireAuthorization();
        app.MapPost("/sign-out-elsewhere", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
            (await sessions.RevokeUserAsync(http.User.FindFirstValue(ClaimTypes.NameIdentifier)!, tenantId: null, http.GetGridSessionHandle(), cancel)).Handles.Count).RequireAuthorization();
    }

    private sealed class Counter(Func<CookieApp> app) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // What is asked at the start, whoever is asked, is none of a request's.
            if (!request.RequestUri!.AbsolutePath.EndsWith("/apiversion", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref app()._calls);
            }

            if (request.Method == HttpMethod.Put && app().BeforeUpdate is { } work)
            {
                await work();
            }

            if (request.RequestUri.AbsolutePath.EndsWith("/session/revoke", StringComparison.Ordinal)
                && app().InsteadOfRevocation?.Invoke(await request.Content!.ReadAsStringAsync(cancellationToken)) is { } answer)
            {
                return answer;
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }
}
