using System.Diagnostics;
using Grid.Client;

namespace Grid.GrainClient.Tests;

/// <summary>Watches of users over silos that are processes of their own, and over one whose watches are misused.</summary>
public sealed class WatchTests(CoreHost core)
{
    // For hangs only.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_watch_tells_of_sessions_on_every_silo_and_goes_on_when_the_silo_that_serves_it_dies()
    {
        await using var cluster = await Cluster.NewAsync();
        List<int> gateways = [await cluster.ServeOpenAsync(), await cluster.ServeOpenAsync(), await cluster.ServeOpenAsync()];
        await using var support = await Worker.StartAsync(grid => Connect(grid, gateways[0], gateways[1], gateways[2]));
        List<Worker> services = [];
        foreach (var gateway in gateways)
        {
            services.Add(await Worker.StartAsync(grid => Connect(grid, gateway)));
        }

        await using var watch = new UserEvents(support.Sessions.WatchUserAsync("ada", null, Stop), Stop);
        await watch.NextAsync(one => one.Kind == SessionEventKind.Watching);

        // Sessions land on any silo, whichever is asked.
        List<CreatedSession> all = [];
        for (var i = 0; i < 12; i++)
        {
            all.Add(await TellsAsync(watch, services[i % 3].Sessions));
        }

        await RepeatAsync(() => services[1].Sessions.RevokeAsync(all[0].Handle, GridRevocationReason.SignedOut, Stop));
        var end = await watch.NextAsync(one => one.Kind == SessionEventKind.MayHaveMissed || (one.Kind == SessionEventKind.Ended && one.Handle == all[0].Handle));
        Assert.True(end.Kind == SessionEventKind.MayHaveMissed || end.EndReason == SessionEndReason.SignedOut);

        // One after the other: among them is the one that serves the watch, or the next.
        for (var silo = 0; silo < 2; silo++)
        {
            await cluster.Silos[silo].KillAsync();
            await watch.NextAsync(one => one.Kind == SessionEventKind.MayHaveMissed);
        }

        // What happens now is told again.
        var left = services[2].Sessions;
        all.Add(await TellsAsync(watch, left));
        await RepeatAsync(() => left.RevokeUserAsync("ada", null, null, Stop));
        HashSet<string> ended = [.. all.Skip(1).Select(made => made.Handle)];
        while (ended.Count > 0 && await watch.NextAsync() is { Kind: not SessionEventKind.MayHaveMissed } told)
        {
            if (told.Kind == SessionEventKind.Ended)
            {
                ended.Remove(told.Handle!);
            }
        }

        Assert.Empty(await RepeatAsync(() => left.ListAsync("ada", null, Stop)));
        foreach (var service in services)
        {
            await service.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_watch_outlives_its_whole_cluster_and_begins_before_there_is_one()
    {
        await using var cluster = await Cluster.NewAsync();
        var gateway = Cluster.FreePort();
        await using var support = await Worker.StartAsync(grid =>
        {
            Connect(grid, gateway);
            grid.Timeout = TimeSpan.FromSeconds(5);
        });
        await using var watch = new UserEvents(support.Sessions.WatchUserAsync("ada", null, Stop), Stop);
        var start = watch.NextAsync(one => one.Kind == SessionEventKind.Watching);
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);
        Assert.False(start.IsCompleted);

        await cluster.ServeAsync(gateway);
        await start;
        var made = await TellsAsync(watch, support.Sessions);
        await cluster.Silos[0].KillAsync();
        await watch.NextAsync(one => one.Kind == SessionEventKind.MayHaveMissed);
        await cluster.ServeAsync(gateway);
        await EventuallyAsync(async () =>
        {
            await RepeatAsync(() => support.Sessions.UpdateDataAsync(made.Handle, $$"""{"a":{{Stopwatch.GetTimestamp()}}}""", Stop));
            return (await watch.NextAsync()).Kind == SessionEventKind.Changed;
        });
    }

    [Fact]
    public async Task Only_its_own_apps_users_are_told_of_and_a_key_that_is_taken_away_ends_the_watch()
    {
        const string key = "a-key-that-is-taken-away-01";
        var app = (await core.CreateAppAsync(new { api_keys = key }))["/appid-".Length..];
        await using var own = await Worker.StartAsync(core, app, key, key);
        await using var other = await Worker.StartAsync(core);
        await using var wrong = await Worker.StartAsync(core, app, "a-key-that-nobody-ever-made");
        await using var watch = new UserEvents(own.Sessions.WatchUserAsync("ada", null, Stop), Stop);
        await using var refused = new UserEvents(wrong.Sessions.WatchUserAsync("ada", null, Stop), Stop);
        await watch.NextAsync();
        await other.Sessions.CreateAsync(new SessionDraft { UserId = "ada" }, Stop);
        var made = await own.Sessions.CreateAsync(new SessionDraft { UserId = "ada" }, Stop);

        Assert.Equal(made.Handle, (await watch.NextAsync()).Handle);
        var no = await Assert.ThrowsAsync<GridException>(() => refused.NextAsync());
        Assert.Equal(GridFailure.Refused, no.Reason);
        Assert.Contains("Invalid API key", no.Message, StringComparison.Ordinal);

        Assert.Equal(200, (await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = app, coreConfig = new { api_keys = "another-key-of-this-app-0001" } })).Status);
        var end = await Assert.ThrowsAsync<GridException>(() => watch.NextAsync(_ => false));
        Assert.Equal(GridFailure.Refused, end.Reason);
    }

    [Fact]
    public async Task A_client_that_opens_watches_without_end_is_refused_and_takes_nothing_from_others()
    {
        await using var greedy = await Worker.StartAsync(core);
        await using var other = await Worker.StartAsync(core);
        using var over = new CancellationTokenSource();
        List<UserEvents> open = [];
        var refusals = 0;
        for (var i = 0; i < 300; i++)
        {
            var watch = new UserEvents(greedy.Sessions.WatchUserAsync($"greedy-{i}", null, over.Token), Stop);
            try
            {
                // It goes on to fetch: a watch whose client is silent for a while, as on a busy machine, leaves its place.
                await watch.NextAsync();
                _ = watch.NextAsync();
                open.Add(watch);
            }
            catch (GridException refusal)
            {
                Assert.Equal(GridFailure.Refused, refusal.Reason);
                Assert.Contains("This client has 200 watches", refusal.Message, StringComparison.Ordinal);
                refusals++;
                await watch.DisposeAsync();
            }
        }

        await using var mine = new UserEvents(other.Sessions.WatchUserAsync("ada", null, Stop), Stop);
        await mine.NextAsync();
        var made = await other.Sessions.CreateAsync(new SessionDraft { UserId = "ada" }, Stop);

        Assert.Equal((200, 100), (open.Count, refusals));
        Assert.Equal(made.Handle, (await mine.NextAsync(one => one.Kind == SessionEventKind.Created)).Handle);
        foreach (var watch in open)
        {
            await watch.DisposeAsync();
        }
    }

    private static void Connect(GridGrainClientOptions grid, params int[] gateways)
    {
        foreach (var gateway in gateways)
        {
            grid.Gateways.Add($"127.0.0.1:{gateway}");
        }

        grid.ApiKey = Cluster.ApiKey;
    }

    /// <summary>A session that is told of when it is created and when it is changed. On a busy machine a link may break in between: then another one.</summary>
    private static async Task<CreatedSession> TellsAsync(UserEvents watch, IGridSessions sessions)
    {
        CreatedSession? made = null;
        await EventuallyAsync(async () =>
        {
            made = await RepeatAsync(() => sessions.CreateAsync(new SessionDraft { UserId = "ada" }, Stop));
            var created = await watch.NextAsync(one => one.Handle == made.Handle || one.Kind == SessionEventKind.MayHaveMissed);
            if (created.Kind == SessionEventKind.MayHaveMissed)
            {
                return false;
            }

            Assert.Equal(SessionEventKind.Created, created.Kind);
            await RepeatAsync(() => sessions.UpdateDataAsync(made.Handle, """{"a":1}""", Stop));
            var changed = await watch.NextAsync(one => one.Handle == made.Handle || one.Kind == SessionEventKind.MayHaveMissed);
            Assert.True(changed is { Kind: SessionEventKind.MayHaveMissed } or { Kind: SessionEventKind.Changed, DataChanged: true });
            return changed.Kind == SessionEventKind.Changed;
        });
        return made!;
    }

    private static async Task EventuallyAsync(Func<Task<bool>> happens)
    {
        var waited = Stopwatch.StartNew();
        while (!await happens())
        {
            Assert.True(waited.Elapsed < Patience, "It never happened.");
        }
    }

    private static async Task<T> RepeatAsync<T>(Func<Task<T>> call)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (GridException failure) when (failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting && waited.Elapsed < Patience)
            {
                await Task.Delay(200, Stop);
            }
        }
    }
}
