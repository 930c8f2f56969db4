using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Grid.Testing.Applications;

/// <summary>
/// Gives requests of signed-in clients what a browser would send with them. What answers carry is taken over as a browser's SDK does.
/// </summary>
/// <param name="sessions">Where sessions are created and refreshed.</param>
/// <param name="clock">The application's.</param>
/// <param name="authentication">With the application's schemes.</param>
internal sealed class ClientSessions(IGridSessions sessions, TimeProvider clock, IOptions<AuthenticationOptions> authentication) : IStartupFilter
{
    private readonly ConcurrentDictionary<string, ClientSession> _clients = new(StringComparer.Ordinal);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (context, rest) =>
        {
            if (context.Request.Headers[SignedInClients.Header] is [{ } name] && SignedInClients.Find(name) is { } wanted)
            {
                context.Request.Headers.Remove(SignedInClients.Header);
                await SignInAsync(context, _clients.GetOrAdd(name, static _ => new ClientSession()), wanted);
            }

            await rest(context);
        });
        next(app);
    };

    // One request of a client at a time: its first ones may come together.
    private async Task SignInAsync(HttpContext context, ClientSession client, GridTestSession wanted)
    {
        await client.Turn.WaitAsync(context.RequestAborted);
        try
        {
            if (context.RequestServices.GetService<SessionRequests>() is { } requests)
            {
                await AddTokenAsync(context, requests, client, wanted);
            }

            foreach (var scheme in authentication.Value.Schemes.Where(scheme => scheme.HandlerType == typeof(GridCookieHandler)))
            {
                await AddCookieAsync(context, scheme.Name, client, wanted);
            }
        }
        finally
        {
            client.Turn.Release();
        }
    }

    private async Task AddTokenAsync(HttpContext context, SessionRequests requests, ClientSession client, GridTestSession wanted)
    {
        var request = context.Request;
        var byCookie = requests.Options.TokenTransfer == TokenTransfer.Cookie;
        if (request.Headers.Authorization.Count > 0 || requests.Cookies.Any(context))
        {
            return;
        }

        if (!client.IsBegun)
        {
            var (_, withAntiCsrf) = requests.ForNewSession(context);
            var created = await sessions.CreateAsync(
                new SessionDraft
                {
                    UserId = wanted.UserId,
                    TenantId = wanted.TenantId,
                    PayloadJson = Payload(wanted, requests, context).ToJsonString(),
                    DataJson = wanted.Data.ToJsonString(),
                    WithAntiCsrf = byCookie && withAntiCsrf,
                    UseDynamicSigningKey = requests.Options.UseDynamicSigningKey,
                },
                CancellationToken.None);
            client.Begin(created.Tokens);
        }
        else if (client.AccessExpiresAt <= clock.GetUtcNow() && client.Refresh is { } refresh)
        {
            var refreshed = await sessions.RefreshAsync(
                new TokenToRefresh(refresh, byCookie && client.AntiCsrf is not null, client.AntiCsrf, requests.Options.UseDynamicSigningKey), CancellationToken.None);
            if (refreshed.Tokens is { } tokens)
            {
                client.Begin(tokens);
            }
        }

        if (client.Access is not { } access)
        {
            return;
        }

        if (byCookie)
        {
            AddCookie(request, requests.Cookies.AccessName, access);

            // As the SDKs do.
            request.Headers.TryAdd("rid", "anti-csrf");
            if (client.AntiCsrf is { } antiCsrf)
            {
                request.Headers.TryAdd("anti-csrf", antiCsrf);
            }
        }
        else
        {
            request.Headers.Authorization = $"Bearer {access}";
        }

        context.Response.OnStarting(() =>
        {
            client.TakeOver(context.Response.Headers);
            if (byCookie && Sets(context, requests.Cookies.AccessName))
            {
                // From here on the client's own cookies say who it is.
                client.Forget();
            }

            return Task.CompletedTask;
        });
    }

    private static async Task AddCookieAsync(HttpContext context, string scheme, ClientSession client, GridTestSession wanted)
    {
        var options = context.RequestServices.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(scheme);
        var name = options.Cookie.Name!;
        if (context.Request.Cookies.ContainsKey(name))
        {
            return;
        }

        if (!client.Cookies.TryGetValue(scheme, out var value))
        {
            client.Cookies[scheme] = value = await SignInAsync(context, scheme, name, wanted);
        }

        if (value is null)
        {
            return;
        }

        AddCookie(context.Request, name, value);
        context.Response.OnStarting(() =>
        {
            if (Sets(context, name))
            {
                client.Cookies[scheme] = null;
            }

            return Task.CompletedTask;
        });
    }

    // By the application's own handler, in a request that nobody sent.
    private static async Task<string?> SignInAsync(HttpContext context, string scheme, string name, GridTestSession wanted)
    {
        await using var scope = context.RequestServices.CreateAsyncScope();
        var request = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        (request.Request.Scheme, request.Request.Host, request.Request.PathBase) = (context.Request.Scheme, context.Request.Host, context.Request.PathBase);
        await request.SignInAsync(scheme, Principal(wanted, scheme, scope.ServiceProvider.GetRequiredService<IOptionsMonitor<GridTicketStoreOptions>>().Get(scheme)));
        return SetCookieHeaderValue.ParseList([.. request.Response.Headers.SetCookie.OfType<string>()]).FirstOrDefault(cookie => cookie.Name == name)?.Value.ToString();
    }

    private static ClaimsPrincipal Principal(GridTestSession wanted, string scheme, GridTicketStoreOptions options)
    {
        var identity = new ClaimsIdentity(wanted.Claims, scheme);
        Add(options.UserIdClaimType, wanted.UserId);
        Add(ClaimTypes.Name, wanted.UserId);
        if (wanted.TenantId != GridClientDefaults.TenantId && options.TenantIdClaimType is { } tenant)
        {
            Add(tenant, wanted.TenantId);
        }

        return new ClaimsPrincipal(identity);

        void Add(string type, string value)
        {
            if (!identity.HasClaim(claim => claim.Type == type))
            {
                identity.AddClaim(new Claim(type, value));
            }
        }
    }

    // As SignInAsync(principal) keeps claims, and all of them: the test has named each.
    private JsonObject Payload(GridTestSession wanted, SessionRequests requests, HttpContext context)
    {
        var options = new GridOptions { NameClaimType = requests.Options.NameClaimType, RoleClaimType = requests.Options.RoleClaimType };
        options.PrincipalClaims.Add(PayloadClaims.All);
        var payload = PayloadClaims.ToPayload(new ClaimsPrincipal(new ClaimsIdentity(wanted.Claims)), wanted.UserId, options, clock.GetUtcNow(), out _);
        payload["iss"] = requests.Issuer(context);
        foreach (var (key, value) in wanted.Payload)
        {
            payload[key] = value?.DeepClone();
        }

        foreach (var (key, value) in wanted.Entries)
        {
            payload[key] = SessionClaim.Entry(value?.DeepClone(), clock.GetUtcNow());
        }

        return payload;
    }

    private static void AddCookie(HttpRequest request, string name, string value)
    {
        var others = request.Headers.Cookie.ToString();
        request.Headers.Cookie = others.Length == 0 ? $"{name}={value}" : $"{others}; {name}={value}";
    }

    private static bool Sets(HttpContext context, string cookie) =>
        context.Response.Headers.SetCookie.Any(line => line?.StartsWith(cookie + "=", StringComparison.Ordinal) == true);
}
