using System.Text.Json;
using Grid.Client;
using Grid.TestKit;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>Two apps in one process, by two schemes: each has its own everything, and neither can be reached through the other.</summary>
public sealed class TwoAppsTests(CoreHost core) : IAsyncLifetime
{
    private const string TryRefresh = """{"message":"try refresh token"}""";
    private const string Unauthorised = """{"message":"unauthorised"}""";

    private readonly string _user = $"user-{Guid.NewGuid():N}";
    private string _shop = "";
    private string _admin = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_shop, _admin) = (await core.CreateAppAsync(), await core.CreateAppAsync());
        await core.HeardOfAppsAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("Grid")]
    [InlineData("admin")]
    [InlineData(null)]
    public async Task A_browser_has_a_session_of_each_and_each_endpoint_knows_its_own(string? defaultScheme)
    {
        await using var app = await StartAsync(defaultScheme: defaultScheme);
        using var browser = app.NewBrowser();

        // Which app a sign-in is for is the endpoint's to say, and where it says nothing the default scheme's.
        var signIn = await browser.PostAsync($"/{(defaultScheme == "admin" ? "sign-in-by-name?scheme=Grid&" : "sign-in?")}user={_user}");
        Assert.Equal(["sAccessToken", "sRefreshToken"], signIn.SetCookie.Select(line => line.Split('=')[0]).Order());
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.Equal((401, Unauthorised), await Brief(browser.GetAsync("/admin/me")));

        var second = await browser.PostAsync($"/admin/sign-in?user=boss-{_user}");
        Assert.Equal(["sAccessToken.admin", "sRefreshToken.admin"], second.SetCookie.Select(line => line.Split('=')[0]).Order());
        Assert.Contains("Path=/admin/auth/session/refresh;", second.SetCookie.Single(line => line.StartsWith("sRefreshToken", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/admin/me")));
        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/admin/bound")));
        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/admin/optional")));
        Assert.Equal($"admin boss-{_user} False", (await browser.GetAsync("/admin/principal")).Text);
        Assert.Equal("https://api.example.com/auth", Issuer(browser.Cookies["sAccessToken"]));
        Assert.Equal("https://api.example.com/admin/auth", Issuer(browser.Cookies["sAccessToken.admin"]));
        Assert.Single(await app.Shop.ListAsync(_user, tenantId: null, Cancel));
        Assert.Empty(await app.Admin.ListAsync(_user, tenantId: null, Cancel));
        Assert.Single(await app.Admin.ListAsync($"boss-{_user}", tenantId: null, Cancel));
    }

    [Fact]
    public async Task Each_is_refreshed_and_signed_out_by_its_own_endpoints()
    {
        await using var app = await StartAsync();
        using var browser = await SignedInToBothAsync(app);
        var (shop, admin) = (browser.Cookies["sAccessToken"], browser.Cookies["sAccessToken.admin"]);

        Assert.Equal(200, (await browser.PostAsync("/admin/auth/session/refresh")).Status);
        Assert.Equal(shop, browser.Cookies["sAccessToken"]);
        Assert.NotEqual(admin, browser.Cookies["sAccessToken.admin"]);
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
        Assert.NotEqual(shop, browser.Cookies["sAccessToken"]);

        Assert.Equal(200, (await browser.PostAsync("/admin/auth/signout")).Status);
        Assert.Equal(("", false), (browser.Cookies["sAccessToken.admin"], browser.Cookies["sAccessToken"].Length == 0));
        Assert.Equal(401, (await browser.GetAsync("/admin/me")).Status);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.NotEqual((await browser.GetAsync("/auth/jwt/jwks.json")).Text, (await browser.GetAsync("/admin/auth/jwt/jwks.json")).Text);
        Assert.Equal(_user, (await browser.GetAsync("/auth/verify")).Header("X-Grid-User"));
        Assert.Equal(401, (await browser.GetAsync("/admin/auth/verify")).Status);
    }

    [Fact]
    public async Task A_token_of_one_is_never_accepted_by_the_other()
    {
        await using var app = await StartAsync();
        using var signedIn = await SignedInToBothAsync(app);
        using var stranger = app.NewBrowser();
        using var phone = app.NewBrowser("header");
        var (shop, admin) = (signedIn.Cookies["sAccessToken"], signedIn.Cookies["sAccessToken.admin"]);

        foreach (var path in (string[])["/admin/me", "/admin/bound", "/admin/optional", "/admin/verified", "/admin/principal", "/admin/auth/verify", "/admin/auth/session/events"])
        {
            Assert.Equal((401, TryRefresh), await Brief(stranger.SendAsync("GET", path, cookie: $"sAccessToken.admin={shop}")));
            Assert.Equal((401, TryRefresh), await Brief(phone.SendAsync("GET", path, bearer: shop)));
        }

        foreach (var path in (string[])["/me", "/auth/verify", "/auth/session/events"])
        {
            Assert.Equal((401, TryRefresh), await Brief(stranger.SendAsync("GET", path, cookie: $"sAccessToken={admin}")));
            Assert.Equal((401, TryRefresh), await Brief(phone.SendAsync("GET", path, bearer: admin)));
        }

        Assert.Equal((200, "nobody"), await Brief(stranger.SendAsync("GET", "/open", cookie: $"sAccessToken={admin}")));
        Assert.Equal(401, (await stranger.SendAsync("POST", "/admin/auth/session/refresh", cookie: $"sRefreshToken.admin={signedIn.Cookies["sRefreshToken"]}")).Status);
        Assert.Equal(401, (await stranger.SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={signedIn.Cookies["sRefreshToken.admin"]}")).Status);

        // Nothing was taken for theft, and where both are welcome each is.
        Assert.Equal((200, _user), await Brief(signedIn.GetAsync("/me")));
        Assert.Equal((200, $"boss-{_user}"), await Brief(signedIn.GetAsync("/admin/me")));
        Assert.Equal((200, _user), await Brief(phone.SendAsync("GET", "/either", bearer: shop)));
        Assert.Equal((200, $"boss-{_user}"), await Brief(phone.SendAsync("GET", "/either", bearer: admin)));
    }

    [Fact]
    public async Task Revoking_in_one_never_ends_the_others()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var shop = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var admin = (await browser.PostAsync($"/admin/sign-in?user={_user}")).Text;
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        using var watch = app.Shop.Watch(shop);

        await app.Admin.RevokeAsync(shop, Cancel);
        await app.Admin.RevokeUserAsync(_user, tenantId: null, exceptHandle: null, Cancel);

        AssertCleared(await browser.GetAsync("/admin/me"));
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.False(watch.Ended.IsCancellationRequested);
        Assert.False(await app.Admin.IsActiveAsync(admin, Cancel));
        Assert.Equal([shop], await app.Shop.ListAsync(_user, tenantId: null, Cancel));

        static void AssertCleared(FrontAnswer answer)
        {
            Assert.Equal((401, Unauthorised), (answer.Status, answer.Text));
            Assert.Equal(["sAccessToken.admin", "sRefreshToken.admin"], answer.SetCookie.Select(line => line.Split('=')[0]).Order());
        }
    }

    [Theory]
    [InlineData("Grid")]
    [InlineData("admin")]
    public async Task An_outage_of_one_is_not_felt_by_the_other(string defaultScheme)
    {
        await using var cable = new TcpRelay(core.Url);
        cable.Put(Between.Nobody);
        var (shop, admin) = (await core.CreateSessionAsync(_shop, _user), await core.CreateSessionAsync(_admin, _user));
        var cookies = $"sAccessToken={Token(shop)}; sAccessToken.admin={Token(admin)}; sRefreshToken={shop["refreshToken"]!["token"]}; sRefreshToken.admin={admin["refreshToken"]!["token"]}";

        await using (var app = await StartAsync(admin: new Uri(cable.Url, _admin), defaultScheme: defaultScheme))
        {
            using var browser = app.NewBrowser();
            Assert.Equal(503, (await browser.SendAsync("GET", "/admin/me", cookie: cookies)).Status);
            Assert.Equal(503, (await browser.SendAsync("POST", "/admin/auth/session/refresh", cookie: cookies)).Status);
            Assert.Equal((200, _user), await Brief(browser.SendAsync("GET", "/me", cookie: cookies)));
            Assert.Equal(_user, (await browser.SendAsync("GET", "/auth/verify", cookie: cookies)).Header("X-Grid-User"));
        }

        await using (var app = await StartAsync(shop: new Uri(cable.Url, _shop), defaultScheme: defaultScheme))
        {
            using var browser = app.NewBrowser();
            Assert.Equal(503, (await browser.SendAsync("GET", "/me", cookie: cookies)).Status);
            Assert.Equal((200, _user), await Brief(browser.SendAsync("GET", "/admin/me", cookie: cookies)));
            Assert.Equal((200, _user), await Brief(browser.SendAsync("GET", "/admin/optional", cookie: cookies)));
            Assert.Equal(_user, (await browser.SendAsync("GET", "/admin/auth/verify", cookie: cookies)).Header("X-Grid-User"));
            Assert.Equal(200, (await browser.SendAsync("POST", "/admin/auth/session/refresh", cookie: cookies)).Status);
            Assert.Equal(200, (await browser.SendAsync("POST", $"/admin/sign-in?user={_user}", cookie: $"sAccessToken={Token(shop)}")).Status);
        }
    }

    [Fact]
    public async Task Each_refuses_in_its_own_words()
    {
        List<string> heard = [];
        await using var app = await StartAsync(
            configureShop: shop => shop.Events.OnNoSession = Hear("shop: no session"),
            configureAdmin: admin =>
            {
                (admin.SessionExpiredStatusCode, admin.InvalidClaimStatusCode) = (440, 418);
                admin.Events.OnNoSession = Hear("admin: no session");
                admin.Events.OnClaimsRefused = context =>
                {
                    heard.Add("admin: claims");
                    return Task.CompletedTask;
                };
            });
        using var browser = app.NewBrowser();

        Assert.Equal(440, (await browser.GetAsync("/admin/me")).Status);
        Assert.Equal(401, (await browser.GetAsync("/me")).Status);
        Assert.Equal(["admin: no session", "shop: no session"], heard);
        await browser.PostAsync($"/admin/sign-in?user={_user}");
        Assert.Equal(418, (await browser.GetAsync("/admin/verified")).Status);
        Assert.Equal("admin: claims", heard[^1]);
        Assert.Equal(440, (await browser.SendAsync("POST", "/admin/auth/session/refresh", cookie: "")).Status);
        Assert.Equal(401, (await browser.SendAsync("POST", "/auth/session/refresh", cookie: "")).Status);

        Func<GridRefusedContext, Task> Hear(string what) => _ =>
        {
            heard.Add(what);
            return Task.CompletedTask;
        };
    }

    [Fact]
    public async Task Claims_are_asked_of_the_endpoints_own_session()
    {
        await using var app = await StartAsync();
        using var browser = await SignedInToBothAsync(app);
        Assert.Equal(403, (await browser.GetAsync("/admin/verified")).Status);
        Assert.Equal(403, (await browser.GetAsync("/either-verified")).Status);
        var shop = browser.Cookies["sAccessToken"];

        Assert.Equal(200, (await browser.PostAsync("/admin/verify")).Status);

        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/admin/verified")));
        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/either-verified")));
        Assert.Equal(shop, browser.Cookies["sAccessToken"]);

        // Somebody of the shop alone still lacks them.
        browser.Cookies["sAccessToken.admin"] = "";
        var refused = await browser.GetAsync("/either-verified");
        Assert.Equal((403, "email-verified"), (refused.Status, refused.Json["claimValidationErrors"]![0]!["id"]!.GetValue<string>()));
        browser.Cookies["sAccessToken"] = "";
        Assert.Equal((401, Unauthorised), await Brief(browser.GetAsync("/either-verified")));
    }

    [Fact]
    public async Task An_expired_token_is_sent_to_refresh_by_the_scheme_that_the_endpoint_is_for()
    {
        await using var app = await StartAsync(use: app =>
        {
            var administration = app.MapGroup("/admin").RequireAuthorization("admin");
            administration.MapGet("/asked", (HttpContext http) => http.GetGridSession()?.UserId ?? "nobody").AllowAnonymous().WithOptionalGridSession();
        });
        using var browser = await SignedInToBothAsync(app);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/admin/asked")));

        Assert.Equal(200, (await browser.PostAsync("/admin/auth/session/refresh")).Status);

        // The shop's token is still the old one.
        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/admin/asked")));
        Assert.Equal((401, TryRefresh), await Brief(browser.GetAsync("/me")));
    }

    [Fact]
    public async Task The_framework_s_sign_in_and_sign_out_go_by_the_scheme_s_name()
    {
        await using var app = await StartAsync();
        using var browser = await SignedInToBothAsync(app);

        Assert.Equal(200, (await browser.PostAsync($"/admin/sign-in-principal?user=owner-{_user}")).Status);
        Assert.Equal($"admin owner-{_user} True", (await browser.GetAsync("/admin/principal")).Text);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/open-by-name?scheme=Grid")));
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/open")));

        Assert.Equal(200, (await browser.PostAsync("/admin/sign-out")).Status);
        Assert.Equal(401, (await browser.GetAsync("/admin/me")).Status);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        await browser.PostAsync($"/admin/sign-in?user=boss-{_user}");

        Assert.Equal(200, (await browser.PostAsync("/sign-out-by-name?scheme=admin")).Status);
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.Empty(await app.Admin.ListAsync($"boss-{_user}", tenantId: null, Cancel));
        Assert.Equal(200, (await browser.PostAsync("/sign-out")).Status);
        Assert.Empty(await app.Shop.ListAsync(_user, tenantId: null, Cancel));
    }

    [Fact]
    public async Task A_connection_ends_with_the_session_that_it_is_served_for()
    {
        await using var app = await StartAsync();
        using var browser = app.NewBrowser();
        var shop = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var admin = (await browser.PostAsync($"/admin/sign-in?user={_user}")).Text;
        using var http = new HttpClient { BaseAddress = app.Url };
        http.DefaultRequestHeaders.Add("Cookie", string.Join("; ", browser.Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        using var ofAdmin = await http.GetAsync(new Uri("/admin/until-the-end", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancel);
        using var ofBoth = await http.GetAsync(new Uri("/until-the-end", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancel);
        var (adminEnds, bothEnd) = (ofAdmin.Content.ReadAsStringAsync(Cancel), ofBoth.Content.ReadAsStringAsync(Cancel));

        await app.Shop.RevokeAsync(shop, Cancel);
        await EndsAsync(bothEnd);

        // It is heard of in the order in which it happens: the other would have ended by now.
        Assert.False(adminEnds.IsCompleted);
        await app.Admin.RevokeAsync(admin, Cancel);
        await EndsAsync(adminEnds);

        // An answer that was cut short may be an error or not.
        static async Task EndsAsync(Task answer) => Assert.Same(answer, await Task.WhenAny(answer, Task.Delay(TimeSpan.FromMinutes(1), Cancel)));
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_hub_has_the_session_of_its_own_scheme_and_closes_with_it(HttpTransportType transport)
    {
        await using var app = await StartAsync(
            services: services => services.AddSignalR(),
            use: app =>
            {
                app.MapHub<WhoHub>("/hub").RequireAuthorization("either");
                app.MapHub<WhoHub>("/admin/hub").RequireAuthorization("admin").EndsWithGridSession();
            });
        using var browser = await SignedInToBothAsync(app);
        await using var plain = Connect("/hub");
        await using var live = Connect("/admin/hub");
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        live.Closed += _ =>
        {
            closed.TrySetResult();
            return Task.CompletedTask;
        };
        await plain.StartAsync(Cancel);
        await live.StartAsync(Cancel);
        Assert.Equal($"boss-{_user} {_user} boss-{_user}", await plain.InvokeAsync<string>("Who", Cancel));

        // A hub of one app knows nothing of the other's session.
        Assert.Equal($"boss-{_user} - boss-{_user}", await live.InvokeAsync<string>("Who", Cancel));
        await app.Shop.RevokeUserAsync(_user, tenantId: null, exceptHandle: null, Cancel);
        Assert.Equal($"boss-{_user} - boss-{_user}", await live.InvokeAsync<string>("Who", Cancel));
        await app.Admin.RevokeUserAsync($"boss-{_user}", tenantId: null, exceptHandle: null, Cancel);
        await closed.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancel);

        HubConnection Connect(string path) => new HubConnectionBuilder().WithUrl(new Uri(app.Url, path), transport, options =>
        {
            options.Headers["Cookie"] = string.Join("; ", browser.Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));
            options.Headers["Origin"] = "https://app.example.com";
        }).Build();
    }

    [Fact]
    public async Task A_second_scheme_of_the_same_name_is_refused_and_so_is_a_name_that_no_cookie_can_have()
    {
        var authentication = new ServiceCollection().AddAuthentication().AddGrid().AddGrid("admin", _ => { });

        Assert.Contains("'Grid'", Assert.Throws<InvalidOperationException>(() => authentication.AddGrid()).Message, StringComparison.Ordinal);
        Assert.Contains("'admin'", Assert.Throws<InvalidOperationException>(() => authentication.AddGrid("admin", _ => { })).Message, StringComparison.Ordinal);
        Assert.Contains("'a b'", Assert.Throws<ArgumentException>(() => authentication.AddGrid("a b", _ => { })).Message, StringComparison.Ordinal);
        await using var app = await StartAsync(use: app => Assert.Contains("'nobody'", Assert.Throws<InvalidOperationException>(() => app.MapGrid("nobody")).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_that_would_be_one_are_refused_at_the_start()
    {
        Assert.Contains("same ConnectionUri", await ProblemAsync(admin => admin.ConnectionUri = new Uri(core.Url, _shop + "/")), StringComparison.Ordinal);
        Assert.Contains("'admin' has no address", await ProblemAsync(admin => admin.ConnectionUri = null), StringComparison.Ordinal);
        Assert.Contains("same ApiDomain and ApiBasePath", await ProblemAsync(admin => admin.ApiBasePath = "/Auth/"), StringComparison.Ordinal);

        async Task<string> ProblemAsync(Action<GridOptions> change) =>
            (await Assert.ThrowsAnyAsync<OptionsValidationException>(async () => await (await StartAsync(configureAdmin: change)).DisposeAsync())).Message;
    }

    [Fact]
    public async Task Forward_auth_of_each_is_guarded_against_paths_that_lead_out_of_it()
    {
        await using var app = await StartAsync();

        foreach (var path in (string[])["/auth/verify/x/../../jwt/jwks.json", "/admin/auth/verify/x/../../jwt/jwks.json"])
        {
            Assert.Equal(403, (await RawRequest.SendAsync(app.Url, "GET", path)).Status);
        }
    }

    [Fact]
    public async Task A_fallback_policy_says_whose_the_other_endpoints_are()
    {
        await using var app = await StartAsync(
            services: services => services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder("admin").RequireAuthenticatedUser().Build()));
        using var browser = app.NewBrowser();
        Assert.Equal(401, (await browser.GetAsync("/open")).Status);
        Assert.Equal(200, (await browser.PostAsync($"/admin/sign-in?user=boss-{_user}")).Status);
        Assert.Equal(200, (await browser.PostAsync($"/sign-in-by-name?user={_user}&scheme=Grid")).Status);

        Assert.Equal((200, $"boss-{_user}"), await Brief(browser.GetAsync("/open")));
        Assert.Equal((200, _user), await Brief(browser.GetAsync("/me")));
        Assert.Equal(200, (await browser.RefreshAsync()).Status);
    }

    [Fact]
    public async Task A_program_without_endpoints_may_have_a_client_of_each()
    {
        List<string> called = [];
        var services = new ServiceCollection().AddLogging()
            .AddGridClient("admin", grid => grid.ConnectionUri = new Uri(core.Url, _admin))
            .AddGridClient(grid => grid.ConnectionUri = new Uri(core.Url, _shop));
        services.AddHttpClient("Grid:admin").AddHttpMessageHandler(() => new Noting(called));
        await using var provider = services.BuildServiceProvider();
        var (shop, admin) = (provider.GetRequiredService<IGridSessions>(), provider.GetRequiredKeyedService<IGridSessions>("admin"));
        Assert.Equal(4, provider.GetServices<IHostedService>().Count());

        var session = await admin.CreateAsync(new SessionDraft { UserId = _user }, Cancel);

        Assert.Contains(called, path => path.StartsWith(_admin, StringComparison.Ordinal));
        called.Clear();
        Assert.Empty(await shop.ListAsync(_user, tenantId: null, Cancel));
        Assert.Empty(called);
        Assert.Equal([session.Handle], await admin.ListAsync(_user, tenantId: null, Cancel));
    }

    [Fact]
    public async Task Options_and_connection_strings_go_by_the_scheme_s_name()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Grid", "http://shop:3567"), new("ConnectionStrings:admin", "http://admin:3567/appid-admin")]);
        builder.Services.AddAuthentication().AddGrid(grid => grid.ApiKey = "shop-key").AddGrid("admin", grid => grid.Timeout = TimeSpan.FromSeconds(3));
        builder.Services.Configure<GridOptions>("admin", grid => grid.ApiKey = "admin-key");
        await using var services = builder.Services.BuildServiceProvider();

        var clients = services.GetRequiredService<IOptionsMonitor<GridClientOptions>>();
        Assert.Equal(("http://shop:3567/", "shop-key", 10), (clients.CurrentValue.ConnectionUri!.ToString(), clients.CurrentValue.ApiKey, (int)clients.CurrentValue.Timeout.TotalSeconds));
        var admin = clients.Get("admin");
        Assert.Equal(("http://admin:3567/appid-admin", "admin-key", 3), (admin.ConnectionUri!.ToString(), admin.ApiKey, (int)admin.Timeout.TotalSeconds));
        Assert.Equal("/admin/auth", services.GetRequiredService<IOptionsMonitor<GridOptions>>().Get("admin").ApiBasePath);
        Assert.NotSame(services.GetRequiredService<IGridSessions>(), services.GetRequiredKeyedService<IGridSessions>("admin"));
    }

    [Fact]
    public async Task One_scheme_keeps_its_check_as_it_is()
    {
        var looked = false;
        await using var app = await ClientApp.StartAsync(core, use: app =>
        {
            app.MapGrid();
            app.MapGet("/look", (HttpContext http) =>
            {
                looked = http.Features.Get<Browser.RequestCheck>() is not null && http.Features.Get<Browser.SchemeChecks>() is null;
                return http.GetGridSession("Grid")!.UserId;
            }).RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal((200, _user), await Brief(browser.GetAsync("/look")));
        Assert.True(looked);
    }

    private sealed class Noting(List<string> called) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            called.Add(request.RequestUri!.AbsolutePath);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class WhoHub : Hub
    {
        public string Who()
        {
            var http = Context.GetHttpContext()!;
            return $"{http.GetGridSession()?.UserId} {http.GetGridSession("Grid")?.UserId ?? "-"} {http.GetGridSession("admin")?.UserId}";
        }
    }

    private static string Token(System.Text.Json.Nodes.JsonObject session) => session["accessToken"]!["token"]!.GetValue<string>();

    private static string Issuer(string token) => AccessTokenVerifier.TryReadUnverified(token, out var content) ? JsonElement.Parse(content.PayloadJson).GetProperty("iss").GetString()! : "";

    private Task<TwoApps> StartAsync(
        Uri? shop = null, Uri? admin = null, Action<GridOptions>? configureShop = null, Action<GridOptions>? configureAdmin = null, string? defaultScheme = "Grid",
        Action<IServiceCollection>? services = null, Action<WebApplication>? use = null) =>
        TwoApps.StartAsync(
            core.Clock, shop ?? new Uri(core.Url, _shop), admin ?? new Uri(core.Url, _admin), configureShop, configureAdmin, defaultScheme, services,
            use: use ?? (app => app.MapPost("/sign-in-by-name", async (HttpContext http, string user, string scheme) => (await http.SignInGridAsync(user, scheme: scheme)).Handle)));

    private async Task<TestBrowser> SignedInToBothAsync(TwoApps app)
    {
        var browser = app.NewBrowser();
        Assert.Equal(200, (await browser.PostAsync($"/sign-in?user={_user}")).Status);
        Assert.Equal(200, (await browser.PostAsync($"/admin/sign-in?user=boss-{_user}")).Status);
        return browser;
    }
}
