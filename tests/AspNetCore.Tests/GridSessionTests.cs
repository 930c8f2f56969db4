using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Tests;

/// <summary>What an endpoint does with its session and, by <see cref="IGridSessions"/>, with those of others.</summary>
public sealed class GridSessionTests(CoreHost core)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task It_says_when_it_was_made_and_when_it_ends()
    {
        await using var app = await StartAsync(routes => routes.MapGet("/times", async (HttpContext http) =>
            new[] { await http.GetGridSession()!.GetCreatedAtAsync(), await http.GetGridSession()!.GetExpiryAsync() }).RequireAuthorization());
        using var browser = app.NewBrowser();
        var before = core.Clock.GetUtcNow();
        await browser.PostAsync($"/sign-in?user={_user}");

        var times = JsonSerializer.Deserialize<DateTimeOffset[]>((await browser.GetAsync("/times")).Text)!;

        Assert.InRange(times[0], before.AddMilliseconds(-1), core.Clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromDays(100), times[1] - times[0]);
    }

    [Fact]
    public async Task A_claim_is_fetched_kept_if_there_is_none_and_removed()
    {
        string? plan = "gold";
        var claim = new PrimitiveClaim<string>("plan", (whose, _) => ValueTask.FromResult<string?>(whose.UserId == _user ? plan : "wrong user"));
        await using var app = await StartAsync(routes =>
        {
            routes.MapPost("/fetch", async (HttpContext http) =>
            {
                await http.GetGridSession()!.FetchClaimAsync(claim);
                return http.GetGridSession()!.GetClaim(claim) ?? "none";
            }).RequireAuthorization();
            routes.MapPost("/remove", async (HttpContext http) =>
            {
                await http.GetGridSession()!.RemoveClaimAsync(claim);
                return http.GetGridSession()!.GetClaim(claim) ?? "none";
            }).RequireAuthorization();
            routes.MapGet("/claim", (HttpContext http) => http.GetGridSession()!.GetClaim(claim) ?? "none").RequireAuthorization();
        });
        using var browser = app.NewBrowser();
        await browser.PostAsync($"/sign-in?user={_user}");

        Assert.Equal("gold", (await browser.PostAsync("/fetch")).Text);
        Assert.Equal("gold", (await browser.GetAsync("/claim")).Text);
        plan = null;
        Assert.Equal("gold", (await browser.PostAsync("/fetch")).Text);
        Assert.Equal("none", (await browser.PostAsync("/remove")).Text);
        Assert.Equal("none", (await browser.GetAsync("/claim")).Text);
    }

    [Fact]
    public async Task An_endpoint_lists_finds_changes_and_ends_the_sessions_of_others()
    {
        await using var app = await StartAsync(routes =>
        {
            routes.MapGet("/others", async (string user, IGridSessions sessions, CancellationToken cancel) =>
            {
                List<SessionInformation?> found = [];
                foreach (var handle in await sessions.ListAsync(user, tenantId: null, cancel))
                {
                    found.Add(await sessions.FindAsync(handle, cancel));
                }

                return found.Select(one => new { one!.UserId, Payload = JsonNode.Parse(one.PayloadJson), Data = JsonNode.Parse(one.DataJson) });
            });
            routes.MapPost("/mark", async (string handle, IGridSessions sessions, CancellationToken cancel) =>
                await sessions.UpdateDataAsync(handle, """{"marked":true}""", cancel) && await sessions.UpdatePayloadAsync(handle, """{"level":2}""", cancel));
            routes.MapPost("/end", async (string handle, IGridSessions sessions, CancellationToken cancel) => (await sessions.RevokeAsync(handle, cancel)).Handles);
            routes.MapPost("/end-elsewhere", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
                (await sessions.RevokeUserAsync(http.GetGridSession()!.UserId, tenantId: null, exceptHandle: http.GetGridSession()!.Handle, cancel)).Handles.Count).RequireAuthorization();
        });
        using var own = app.NewBrowser();
        using var other = app.NewBrowser();
        using var third = app.NewBrowser();
        await own.PostAsync($"/sign-in?user={_user}");
        var handle = (await other.PostAsync($"/sign-in?user={_user}")).Text;
        await third.PostAsync($"/sign-in?user={_user}");

        Assert.Equal("true", (await own.PostAsync($"/mark?handle={handle}")).Text);
        var listed = JsonNode.Parse((await own.GetAsync($"/others?user={_user}")).Text)!.AsArray();
        Assert.Equal([_user, _user, _user], listed.Select(one => (string)one!["userId"]!));
        Assert.Equal(("""{"iss":"https://api.example.com/auth","level":2}""", """{"marked":true}"""), (listed[1]!["payload"]!.ToJsonString(), listed[1]!["data"]!.ToJsonString()));

        Assert.Equal($"""["{handle}"]""", (await own.PostAsync($"/end?handle={handle}")).Text);
        Assert.Equal((200, 401, 200), ((await own.GetAsync("/me")).Status, (await other.GetAsync("/me")).Status, (await third.GetAsync("/me")).Status));
        Assert.Equal("1", (await own.PostAsync("/end-elsewhere")).Text);
        Assert.Equal((200, 401), ((await own.GetAsync("/me")).Status, (await third.GetAsync("/me")).Status));
    }

    private Task<ClientApp> StartAsync(Action<WebApplication> map) => ClientApp.StartAsync(core, use: app =>
    {
        app.MapGrid();
        map(app);
    });
}
