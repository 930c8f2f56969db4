using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Grid.Bench.Http.Scenarios;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace Grid.Bench.Protection;

/// <summary>One process, a door for each way to protect the same endpoint, and one without protection.</summary>
internal static class Server
{
    public const string Ready = "protection ready";

    public static async Task RunAsync(string grid)
    {
        var plain = Build(null, checkEachRequest: false);
        plain.MapGet("/hello", Hello);
        plain.MapGet("/allocated", () => GC.GetTotalAllocatedBytes(precise: true));
        await using var remembered = Protected(grid, checkEachRequest: false);
        await using var asking = Protected(grid, checkEachRequest: true);
        await using var nothing = BuildTrusting();
        await using var cookies = BuildCookies(null);
        await using var tickets = BuildCookies(grid);
        await nothing.StartAsync();
        await remembered.StartAsync();
        await asking.StartAsync();
        await cookies.StartAsync();
        await tickets.StartAsync();
        await plain.StartAsync();
        Console.WriteLine($"doors {Port(plain)} {Port(nothing)} {Port(remembered)} {Port(asking)} {Port(cookies)} {Port(tickets)}");
        Console.WriteLine($"http://127.0.0.1:{Port(plain)}");
        Console.WriteLine(Ready);
        await plain.WaitForShutdownAsync();
    }

    private static Task Hello(HttpContext context)
    {
        context.Response.ContentLength = 5;
        return context.Response.WriteAsync("hello");
    }

    // What the framework's own machinery takes, with a handler that believes everybody.
    private static WebApplication BuildTrusting()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, TrustingHandler>("trusting", null);
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.MapGet("/hello", Hello).RequireAuthorization();
        return app;
    }

    // Pages that sign in by cookie; the ticket is in the cookie, or in Grid.
    private static WebApplication BuildCookies(string? grid)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        var authentication = builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
        if (grid is not null)
        {
            builder.Services.AddGridClient(client => (client.ConnectionUri, client.ApiKey) = (new Uri(grid), CoreRequests.ApiKey));
            authentication.AddGridTicketStore();
        }

        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.MapGet("/hello", Hello).RequireAuthorization();
        app.MapPost("/sign-in/{user}", (HttpContext context, string user) => context.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, user), new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, "user"), new Claim("plan", "pro")], "Cookies"))));
        return app;
    }

    private static WebApplication Protected(string grid, bool checkEachRequest)
    {
        var app = Build(grid, checkEachRequest);
        app.MapGet("/hello", Hello).RequireAuthorization();
        return app;
    }

    private static WebApplication Build(string? grid, bool checkEachRequest)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        if (grid is not null)
        {
            builder.Services.AddAuthentication().AddGrid(options =>
            {
                options.ConnectionUri = new Uri(grid);
                options.ApiKey = CoreRequests.ApiKey;
                options.CheckEachRequest = checkEachRequest;
            });
            builder.Services.AddAuthorization();
        }

        return builder.Build();
    }

    private static int Port(WebApplication app) => new Uri(app.Urls.Single()).Port;

    private sealed class TrustingHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(AuthenticateResult.Success(
            new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "everybody")], Scheme.Name, "sub", "role")), Scheme.Name)));
    }
}
