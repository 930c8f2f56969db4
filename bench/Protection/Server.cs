using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Grid.Bench.Http.Scenarios;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Grid.Bench.Protection;

/// <summary>One process, a door for each way to protect the same endpoint, and one without protection.</summary>
internal static class Server
{
    public const string Ready = "protection ready";

    /// <param name="grid">Address of the core API.</param>
    /// <param name="redis">Address of a Redis server.</param>
    public static async Task RunAsync(string grid, string redis)
    {
        var plain = Build(null, checkEachRequest: false);
        plain.MapGet("/hello", Hello);
        plain.MapGet("/allocated", () => GC.GetTotalAllocatedBytes(precise: true));
        await using var remembered = Protected(grid, checkEachRequest: false);
        await using var asking = Protected(grid, checkEachRequest: true);
        await using var nothing = BuildTrusting();
        await using var cookies = BuildCookies((_, _) => { });
        await using var tickets = BuildCookies((services, authentication) =>
        {
            services.AddGridClient(client => (client.ConnectionUri, client.ApiKey) = (new Uri(grid), CoreRequests.ApiKey));
            authentication.AddGridTicketStore();
        });
        await using var redisTickets = BuildCookies((services, _) =>
        {
            services.AddStackExchangeRedisCache(cache => cache.Configuration = redis);
            services.AddSingleton<CacheTicketStore>();
            services.AddOptions<CookieAuthenticationOptions>(CookieAuthenticationDefaults.AuthenticationScheme).Configure<CacheTicketStore>((cookie, store) => cookie.SessionStore = store);
        });
        await using var bearer = await BuildBearerAsync(grid);
        await nothing.StartAsync();
        await remembered.StartAsync();
        await asking.StartAsync();
        await cookies.StartAsync();
        await tickets.StartAsync();
        await redisTickets.StartAsync();
        await bearer.StartAsync();
        await plain.StartAsync();
        Console.WriteLine($"doors {Port(plain)} {Port(nothing)} {Port(remembered)} {Port(asking)} {Port(cookies)} {Port(tickets)} {Port(redisTickets)} {Port(bearer)}");
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

    // What services do today that check Grid's tokens by its published keys: an ended session's token works until it expires.
    private static async Task<WebApplication> BuildBearerAsync(string grid)
    {
        using var http = new HttpClient();
        var keys = new JsonWebKeySet(await http.GetStringAsync($"{grid}/.well-known/jwks.json"));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddAuthentication().AddJwtBearer(bearer =>
        {
            bearer.TokenValidationParameters = new TokenValidationParameters { IssuerSigningKeys = keys.GetSigningKeys(), ValidateIssuer = false, ValidateAudience = false };

            // The same requests as the others get.
            bearer.Events = new JwtBearerEvents
            {
                OnMessageReceived = context =>
                {
                    context.Token = context.Request.Cookies["sAccessToken"];
                    return Task.CompletedTask;
                },
            };
        });
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.MapGet("/hello", Hello).RequireAuthorization();
        return app;
    }

    // Pages that sign in by cookie; the ticket is in the cookie, or in a store.
    private static WebApplication BuildCookies(Action<IServiceCollection, AuthenticationBuilder> store)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        store(builder.Services, builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie());
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

    /// <summary>As applications write it that keep their tickets in a distributed cache.</summary>
    private sealed class CacheTicketStore(IDistributedCache cache) : ITicketStore
    {
        public async Task<string> StoreAsync(AuthenticationTicket ticket)
        {
            var key = Guid.NewGuid().ToString("N");
            await RenewAsync(key, ticket);
            return key;
        }

        public Task RenewAsync(string key, AuthenticationTicket ticket) =>
            cache.SetAsync(key, TicketSerializer.Default.Serialize(ticket), new DistributedCacheEntryOptions { AbsoluteExpiration = ticket.Properties.ExpiresUtc });

        public async Task<AuthenticationTicket?> RetrieveAsync(string key) => await cache.GetAsync(key) is { } bytes ? TicketSerializer.Default.Deserialize(bytes) : null;

        public Task RemoveAsync(string key) => cache.RemoveAsync(key);
    }
}
