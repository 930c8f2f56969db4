using System.Collections.Concurrent;
using Grid.Tokens.Refresh;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Grid.HostKit.Answers;

namespace Grid.AspNetCore.Tests;

/// <summary>What an application may do when a request is refused, and that the refusal stands.</summary>
public sealed class EventTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";
    private readonly ConcurrentQueue<string> _seen = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_refusal_is_told_with_its_session_and_answered_as_ever()
    {
        await using var app = await StartAsync(Note);
        using var browser = app.NewBrowser();

        Assert.Equal((401, """{"message":"unauthorised"}"""), await Brief(browser.GetAsync("/me")));
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        Assert.Equal(403, (await browser.GetAsync("/verified")).Status);
        Assert.Equal(403, (await browser.PostAsync("/assert")).Status);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((401, """{"message":"try refresh token"}"""), await Brief(browser.GetAsync("/me")));
        await browser.RefreshAsync();
        await app.Sessions.RevokeAsync(handle, Stop);
        AssertCleared(await browser.GetAsync("/me"), """{"message":"unauthorised"}""");

        Assert.Equal(["none ", $"claims {handle} {_user} email-verified", $"claims {handle} {_user} email-verified", $"expired {handle} {_user}", $"ended {handle} {_user}"], _seen);
    }

    [Fact]
    public async Task A_stolen_refresh_token_is_told_after_its_session_has_ended()
    {
        await using var app = await StartAsync(Note);
        using var browser = app.NewBrowser();
        using var thief = app.NewBrowser();
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        thief.Cookies["sRefreshToken"] = browser.Cookies["sRefreshToken"];
        await browser.RefreshAsync();
        await browser.RefreshAsync();
        core.Clock.Skip(TimeSpan.FromMinutes(2));

        var answer = await thief.RefreshAsync();

        Assert.Equal((401, """{"message":"token theft detected"}"""), (answer.Status, answer.Text));
        Assert.Equal([$"theft {handle} {_user} {ReuseKind.StaleLineage} False"], _seen);
    }

    [Fact]
    public async Task An_event_writes_an_answer_of_its_own_and_tokens_are_cleared_all_the_same()
    {
        await using var app = await StartAsync(events =>
        {
            events.OnNoSession = Own(302, "/login");
            events.OnExpired = Own(440, "expired");
            events.OnEnded = Own(null, "ended");
            events.OnClaimsRefused = Own(451, "claims");
            events.OnTokenTheft = Own(418, "theft");
        });
        using var browser = app.NewBrowser();

        Assert.Equal((302, "/login"), await Brief(browser.GetAsync("/me")));
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var first = browser.Cookies["sRefreshToken"];
        Assert.Equal((451, "claims"), await Brief(browser.GetAsync("/verified")));
        Assert.Equal((451, "claims"), await Brief(browser.PostAsync("/assert")));
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal((440, "expired"), await Brief(browser.GetAsync("/me")));
        Assert.Equal((440, "expired"), await Brief(browser.GetAsync("/optional")));
        await browser.RefreshAsync();
        await browser.RefreshAsync();
        core.Clock.Skip(TimeSpan.FromMinutes(2));
        using var other = app.NewBrowser();
        await other.PostAsync($"/sign-in?user={_user}");
        Assert.Equal((418, "theft"), await Brief(app.NewBrowser().SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={first}")));

        // Without a status of its own it stays a refusal's.
        var ended = await browser.GetAsync("/me");
        Assert.Equal((401, "ended", "remove"), (ended.Status, ended.Text, ended.Header("front-token")));
        Assert.StartsWith("cleared;", ended.Cookie("sAccessToken", default), StringComparison.Ordinal);
        Assert.False(await app.Sessions.IsActiveAsync(handle, Stop));
    }

    [Fact]
    public async Task An_event_that_throws_lets_no_request_through()
    {
        var ran = 0;
        await using var app = await StartAsync(
            events =>
            {
                Func<GridEventContext, Task> fails = _ => throw new InvalidOperationException("the event's own fault");
                (events.OnNoSession, events.OnExpired, events.OnEnded, events.OnClaimsRefused, events.OnTokenTheft) = (fails, fails, fails, fails, fails);
            },
            app =>
            {
                app.MapGet("/counted", () => ++ran).RequireAuthorization();
                app.MapGet("/counted-optional", () => ++ran).WithOptionalGridSession();
                app.MapGet("/counted-claims", () => ++ran).RequireGridClaims(ClientApp.EmailVerified.IsTrue());
            });
        using var browser = app.NewBrowser();
        Assert.Equal(500, (await browser.GetAsync("/counted")).Status);
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        var first = browser.Cookies["sRefreshToken"];
        Assert.Equal(500, (await browser.GetAsync("/counted-claims")).Status);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal(500, (await browser.GetAsync("/counted")).Status);
        Assert.Equal(500, (await browser.GetAsync("/counted-optional")).Status);
        await browser.RefreshAsync();
        await browser.RefreshAsync();
        core.Clock.Skip(TimeSpan.FromMinutes(2));

        Assert.Equal(500, (await app.NewBrowser().SendAsync("POST", "/auth/session/refresh", cookie: $"sRefreshToken={first}")).Status);
        Assert.False(await app.Sessions.IsActiveAsync(handle, Stop));
        Assert.Equal(500, (await browser.GetAsync("/counted")).Status);
        Assert.Equal(0, ran);
    }

    [Fact]
    public async Task Forward_auth_and_the_endpoints_of_the_SDKs_answer_as_ever()
    {
        await using var app = await StartAsync(events =>
        {
            events.OnNoSession = Own(200, "let in");
            events.OnExpired = Own(200, "let in");
            events.OnEnded = Own(200, "let in");
            events.OnClaimsRefused = Own(200, "let in");
        });
        using var browser = app.NewBrowser();
        Assert.Equal(401, (await browser.GetAsync("/auth/verify")).Status);
        var handle = (await browser.PostAsync($"/sign-in?user={_user}")).Text;
        Assert.Equal(403, (await browser.GetAsync("/auth/verify?require=role:admin")).Status);
        core.Clock.Skip(TimeSpan.FromMinutes(61));
        Assert.Equal(401, (await browser.GetAsync("/auth/verify")).Status);
        Assert.Equal(401, (await browser.GetAsync("/auth/verify-optional")).Status);
        Assert.Equal(401, (await browser.PostAsync("/auth/signout")).Status);
        await browser.RefreshAsync();
        await app.Sessions.RevokeAsync(handle, Stop);
        Assert.Equal(401, (await browser.SendAsync("GET", "/auth/verify", cookie: $"sAccessToken={browser.Cookies["sAccessToken"]}")).Status);
    }

    [Fact]
    public async Task A_type_of_events_comes_from_the_services()
    {
        await using var app = await ClientApp.StartAsync(
            core, options => options.EventsType = typeof(NotedEvents), services: services => services.AddScoped<NotedEvents>().AddSingleton(_seen));
        using var browser = app.NewBrowser();

        Assert.Equal((401, "own"), await Brief(browser.GetAsync("/me")));

        Assert.Equal(["typed /me"], _seen);
        Assert.Contains("EventsType", GridOptionsCheck.Problem(new GridOptions { ConnectionUri = core.Url, EventsType = typeof(string) }), StringComparison.Ordinal);
    }

    private static Func<GridEventContext, Task> Own(int? status, string text) => async refused =>
    {
        refused.HttpContext.Response.StatusCode = status ?? refused.HttpContext.Response.StatusCode;
        await refused.HttpContext.Response.WriteAsync(text);
        refused.HandleResponse();
    };

    private void Note(GridEvents events)
    {
        events.OnNoSession = refused => Note($"none {refused.SessionHandle}{refused.UserId}");
        events.OnExpired = refused => Note($"expired {refused.SessionHandle} {refused.UserId}");
        events.OnEnded = refused => Note($"ended {refused.SessionHandle} {refused.UserId}");
        events.OnClaimsRefused = refused => Note($"claims {refused.SessionHandle} {refused.UserId} {string.Join(',', refused.Problems.Select(problem => problem.Id))}");
        events.OnTokenTheft = async theft =>
        {
            var sessions = theft.HttpContext.RequestServices.GetRequiredService<Grid.Client.IGridSessions>();
            await Note($"theft {theft.SessionHandle} {theft.UserId} {theft.Reuse} {await sessions.IsActiveAsync(theft.SessionHandle!, Stop)}");
        };
    }

    private Task Note(string line)
    {
        _seen.Enqueue(line);
        return Task.CompletedTask;
    }

    private Task<ClientApp> StartAsync(Action<GridEvents> set, Action<WebApplication>? map = null) => ClientApp.StartAsync(core, options => set(options.Events), use: app =>
    {
        app.MapGrid();
        app.MapGet("/optional", () => "open").WithOptionalGridSession();
        map?.Invoke(app);
    });

    private sealed class NotedEvents(ConcurrentQueue<string> seen) : GridEvents
    {
        public override async Task NoSession(GridRefusedContext context)
        {
            seen.Enqueue($"typed {context.HttpContext.Request.Path}");
            await context.HttpContext.Response.WriteAsync("own");
            context.HandleResponse();
        }
    }
}
