using System.Collections.Concurrent;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Grid.AspNetCore.Tests.Ticking;
using Grid.Client;
using Grid.Client.Live;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore.Tests;

/// <summary>An application with everything that stays open: by <c>AddGrid()</c>, or by a cookie with Grid's ticket store.</summary>
internal sealed class LiveApp : IAsyncDisposable
{
    private readonly CoreHost _core;
    private readonly string _prefix;
    private readonly IAsyncDisposable _app;
    private readonly IServiceProvider _services;

    private LiveApp(CoreHost core, string prefix, IAsyncDisposable app, Uri url, IServiceProvider services, bool hasCookies) =>
        (_core, _prefix, _app, Url, _services, HasCookies) = (core, prefix, app, url, services, hasCookies);

    /// <summary>Of its pages.</summary>
    public const string Origin = "https://app.example.com";

    public Uri Url { get; }

    public bool HasCookies { get; }

    public Presence Presence => _services.GetRequiredService<Presence>();

    /// <summary>Sessions that the process watches.</summary>
    public int Watched => _services.GetRequiredService<ServiceHolder>().Holder.Watched;

    /// <summary>Starts it.</summary>
    /// <param name="core">Of the sessions.</param>
    /// <param name="hasCookies">Whether it is an application with cookies.</param>
    /// <param name="through">What is between it and Grid; null for nothing.</param>
    /// <param name="services">More services.</param>
    public static async Task<LiveApp> StartAsync(CoreHost core, bool hasCookies, Uri? through = null, Action<IServiceCollection>? services = null)
    {
        var prefix = await core.CreateAppAsync();
        await core.HeardOfAppsAsync();
        var address = new Uri(through ?? core.Url, prefix);
        if (hasCookies)
        {
            var pages = await CookieApp.StartAsync(address, services: Add, use: Map);
            return new LiveApp(core, prefix, pages, pages.Url, pages.Services, hasCookies);
        }

        var api = await ClientApp.StartAsync(
            core,
            options => options.ConnectionUri = address,
            services: Add,
            use: app =>
            {
                app.MapGrid();
                Map(app);
            });
        return new LiveApp(core, prefix, api, api.Url, api.Services, hasCookies);

        void Add(IServiceCollection all)
        {
            all.AddSingleton<Presence>();
            all.AddSignalR();
            all.AddGrpc();
            services?.Invoke(all);
        }
    }

    public async Task<TestBrowser> SignInAsync(string user)
    {
        var browser = new TestBrowser(Url, followsRedirects: false);
        Assert.Equal(200, (await browser.PostAsync($"/sign-in?user={user}")).Status);
        return browser;
    }

    public static string Cookie(TestBrowser browser) => string.Join("; ", browser.Cookies.Where(cookie => cookie.Value.Length > 0).Select(cookie => $"{cookie.Key}={cookie.Value}"));

    public HubConnection Connect(TestBrowser browser, HttpTransportType transport, string path = "/chat") => new HubConnectionBuilder()
        .WithUrl(new Uri(Url, path), transport, options =>
        {
            if (browser.Cookies.Count > 0)
            {
                options.Headers["Cookie"] = Cookie(browser);
            }

            options.Headers["Origin"] = Origin;
        })
        .WithAutomaticReconnect()
        .Build();

    public async Task<string> CreateAccessTokenAsync(string user) => (string)(await _core.CreateSessionAsync(_prefix, user))["accessToken"]!["token"]!;

    public Task RevokeAsync(string user) => _core.PostAsync($"{_prefix}/session/revoke", new { userId = user });

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.MapHub<Chat>("/chat").RequireAuthorization().EndsWithGridSession();
        app.MapHub<Chat>("/plain").RequireAuthorization();
        app.MapHub<Chat>("/for-all").EndsWithGridSession();
        var live = app.MapGroup("").RequireAuthorization().EndsWithGridSession();
        live.MapGet("/socket", async (HttpContext http) =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            await socket.ReceiveAsync(new byte[16], http.RequestAborted);
        });
        live.MapGet("/events", (CancellationToken cancel) => TypedResults.ServerSentEvents(Ticks(cancel))).EndsWithGridSession();
        live.MapGet("/deaf", async (HttpContext http) =>
        {
            await http.Response.WriteAsync("on and on");
            await http.Response.Body.FlushAsync();
            http.RequestServices.GetRequiredService<Presence>().Deaf.TrySetResult();
            await http.RequestServices.GetRequiredService<Presence>().Heard.Task;
        });
        live.MapPost("/leave-slowly", async (HttpContext http, IGridSessions sessions) =>
        {
            var ended = http.GetGridSession() is { } session ? session.Held.Watch() : sessions.Watch(http.GetGridSessionHandle()!);
            using (ended)
            {
                await (http.GetGridSession() is { } own ? own.RevokeAsync() : http.SignOutAsync());
                await Task.Delay(Timeout.InfiniteTimeSpan, ended.Ended).ContinueWith(_ => { }, TaskScheduler.Default);
            }

            // Longer than an endpoint has that was asked to stop.
            await Task.Delay(TimeSpan.FromSeconds(1), http.RequestAborted);
            return "left";
        });
        live.MapGrpcService<TickerService>();
    }

    private static async IAsyncEnumerable<SseItem<string>> Ticks([EnumeratorCancellation] CancellationToken cancel)
    {
        yield return new SseItem<string>("here");
        await Task.Delay(Timeout.Infinite, cancel);
    }

    private sealed class TickerService : Ticker.TickerBase
    {
        public override async Task Watch(WatchRequest request, IServerStreamWriter<Tick> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new Tick { UserId = context.GetHttpContext().GetGridSession()!.UserId }, context.CancellationToken);
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
    }

    /// <summary>Knows nothing of sessions that end.</summary>
    private sealed class Chat(Presence presence) : Hub
    {
        public override Task OnConnectedAsync()
        {
            presence.Here[Context.ConnectionId] = true;
            return Task.CompletedTask;
        }

        public override Task OnDisconnectedAsync(Exception? exception)
        {
            presence.Here.TryRemove(Context.ConnectionId, out _);
            return Task.CompletedTask;
        }

        public string? Whose() => Context.GetHttpContext()!.GetGridSession()?.Handle ?? Context.GetHttpContext()!.GetGridSessionHandle();

        public bool HasEnded() => Context.GetHttpContext()!.GetGridSession()!.Ended.IsCancellationRequested;

        public Task Leave() => Context.GetHttpContext()!.GetGridSession()!.RevokeAsync();
    }
}

/// <summary>Who is connected, as the hub sees it.</summary>
internal sealed class Presence
{
    public ConcurrentDictionary<string, bool> Here { get; } = [];

    /// <summary>Set when <c>/deaf</c> is served.</summary>
    public TaskCompletionSource Deaf { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What <c>/deaf</c> waits for, whatever happens to its request.</summary>
    public TaskCompletionSource Heard { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
