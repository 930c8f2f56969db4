using Grid.Client;
using Grid.GrainDoors;
using Grid.GrainDoors.Tunnels;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.GrainClient.Tests;

/// <summary>A service that checks tokens is a holder over Orleans.</summary>
public sealed class HolderTests(CoreHost core)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_checks_tokens_confirms_revocations_and_who_does_not_registers_nothing()
    {
        var app = await CreateAppAsync();
        await using var office = await Worker.StartAsync(core, app);
        var before = await RevokeOneAsync(office);
        await using (var service = await Worker.StartAsync(core, app))
        {
            var made = await office.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
            Assert.Equal(SessionVerdict.Ok, (await CheckAsync(service, made)).Verdict);
            using var watch = service.Sessions.Watch(made.Handle);

            var revoked = await office.Sessions.RevokeAsync(made.Handle, Stop);

            Assert.Equal((before.Receipt.Confirmed + 1, 0), (revoked.Receipt.Confirmed, revoked.Receipt.Waited));
            Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(service, made)).Verdict);
            await Task.Delay(Timeout.Infinite, watch.Ended).WaitAsync(TimeSpan.FromMinutes(2), Stop).ContinueWith(static _ => { }, TaskScheduler.Default);
            Assert.True(watch.Ended.IsCancellationRequested);
        }

        // It has left: nobody waits for its lease.
        var after = await RevokeOneAsync(office);
        Assert.Equal((before.Receipt.Confirmed, 0), (after.Receipt.Confirmed, after.Receipt.Waited));
    }

    [Fact]
    public async Task A_known_session_is_checked_without_a_call()
    {
        var app = await CreateAppAsync();
        await core.HeardOfAppsAsync();
        await using var service = await Worker.StartAsync(core, app);
        var made = await service.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        Assert.Equal(SessionVerdict.Ok, (await CheckAsync(service, made)).Verdict);
        core.Store.TakeAway(app);
        try
        {
            var known = service.Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop);

            Assert.True(known.IsCompletedSuccessfully);
            Assert.Equal(SessionVerdict.Ok, (await known).Verdict);
        }
        finally
        {
            core.Store.GiveBack(app);
        }
    }

    [Fact]
    public async Task A_connection_is_its_apps_alone_and_ends_with_a_call_out_of_turn()
    {
        var (app, other) = (await CreateAppAsync(), await CreateAppAsync());
        using var application = await GivenClientTests.StartAsync(core);
        var door = application.Services.GetRequiredService<IClusterClient>().GetGrain<IHolderDoor>(Orleans.Runtime.GrainId.Create(DoorNames.Holders, DoorNames.Key));
        Orleans.Runtime.RequestContext.Set(DoorCaller.Key, new DoorCaller { App = app });
        var opened = (await door.OpenAsync()).Value!;
        var hello = System.Text.Encoding.UTF8.GetBytes($$"""{"type":"register","n":1,"incarnation":"{{Guid.NewGuid()}}","name":"n"}""");

        Orleans.Runtime.RequestContext.Set(DoorCaller.Key, new DoorCaller { App = other });
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(opened, 1, hello)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await door.ReceiveAsync(opened, 1)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await door.CloseAsync(opened)).Outcome);

        Orleans.Runtime.RequestContext.Set(DoorCaller.Key, new DoorCaller { App = app });
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(opened, 1, new byte[64 * 1024])).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(opened, 1, null!)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(null!, 1, hello)).Outcome);
        Assert.Equal(DoorOutcome.Done, (await door.SendAsync(opened, 1, hello)).Outcome);
        await RegisteredAsync(door, opened);

        // The same number once more: from now on nobody could say what came in which order.
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(opened, 1, hello)).Outcome);
        Assert.Equal(DoorOutcome.Refused, (await door.SendAsync(opened, 2, hello)).Outcome);
        Orleans.Runtime.RequestContext.Clear();
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task A_service_whose_key_is_not_accepted_any_more_is_a_holder_no_more()
    {
        const string key = "a-key-that-is-taken-away-01";
        var app = await CreateAppAsync(new { api_keys = key });
        await using var service = await Worker.StartAsync(core, app, key);
        var made = await service.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        Assert.Equal(SessionVerdict.Ok, (await CheckAsync(service, made)).Verdict);

        await core.SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId = app, coreConfig = new { api_keys = "another-key-of-the-app-0001" } });

        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (service.Log.Count(4102) + service.Log.Count(4101) == 0 && waited.Elapsed < TimeSpan.FromMinutes(1))
        {
            await Task.Delay(100, Stop);
        }

        Assert.True(service.Log.Count(4102) + service.Log.Count(4101) > 0);
        await using var office = await Worker.StartAsync(core, app, "another-key-of-the-app-0001");
        await office.Sessions.RevokeAsync(made.Handle, Stop);
        try
        {
            Assert.Equal(SessionVerdict.Unauthorised, (await CheckAsync(service, made)).Verdict);
        }
        catch (GridException failure)
        {
            Assert.True(failure.Reason is GridFailure.Unavailable or GridFailure.Refused);
        }
    }

    /// <summary>Fetches until it is said; what others revoke meanwhile may come before.</summary>
    internal static async Task RegisteredAsync(IHolderDoor door, string connection)
    {
        for (var number = 1L; ; number++)
        {
            var come = (await door.ReceiveAsync(connection, number)).Value;
            if (come?.Messages.Any(message => System.Text.Encoding.UTF8.GetString(message).Contains("\"registered\"", StringComparison.Ordinal)) == true)
            {
                return;
            }

            Assert.False(come is null or { IsClosed: true }, come?.Why ?? "It is over.");
        }
    }

    private static async Task<GridRevocation> RevokeOneAsync(Worker worker)
    {
        var made = await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        return await worker.Sessions.RevokeAsync(made.Handle, Stop);
    }

    private static ValueTask<TokenCheck> CheckAsync(Worker worker, CreatedSession session) =>
        worker.Sessions.VerifyAsync(new TokenToCheck(session.Tokens.Access.Text, false, null, true), Stop);

    private async Task<string> CreateAppAsync(object? coreConfig = null) => (await core.CreateAppAsync(coreConfig ?? new { }))["/appid-".Length..];
}
