using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Grains.Watches;
using Grid.Revocation.Log;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Tests.Watches;

/// <summary>What a watch of a user tells, and when it says that it may have missed something.</summary>
public sealed class UserWatchesTests
{
    // For hangs only.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_silos_sessions_are_told_of_in_order_their_end_last_and_nobody_elses()
    {
        await using var grid = new WatchedSilos(3);
        var before = grid.Create(0, "u");
        using var watch = await grid.WatchAsync("u");
        using var elsewhere = await grid.WatchAsync("u", "t1");
        List<SessionNotice> expected = [];
        for (var silo = 0; silo < 3; silo++)
        {
            var row = grid.Create(silo, "u");
            grid.Create(silo, "v");
            var refreshed = grid.Write(silo, row, Refreshed);
            grid.Write(silo, refreshed, now => now with { PayloadJson = """{"a":1}""" });
            expected = await ReadAsync(watch, silo == 0 ? 4 : 3);
            Assert.Equal([SessionNoticeKind.Created, SessionNoticeKind.Refreshed, SessionNoticeKind.Changed], expected.TakeLast(3).Select(notice => notice.Kind));
            Assert.All(expected.TakeLast(3), notice => Assert.Equal(row.Key.Handle, notice.Session));
            grid.Revoke(RevocationKind.Session, row, RevocationReason.SignedOut);
            Assert.Equal((SessionNoticeKind.Revoked, row.Key.Handle, RevocationReason.SignedOut), Told(await NextAsync(watch)));

            // Its grain's word comes late.
            grid.Notices(silo).Written(row, Refreshed(row));
        }

        grid.Revoke(RevocationKind.User, before);
        Assert.Equal((SessionNoticeKind.Revoked, before.Key.Handle, RevocationReason.Requested), Told(await NextAsync(watch)));
        Assert.Equal([SessionNoticeKind.Started], (await ReadAsync(elsewhere, 1)).Select(notice => notice.Kind));
        Assert.Empty((await elsewhere.ReadAsync(9, TimeSpan.Zero, Stop))!);
    }

    [Fact]
    public async Task Of_a_users_a_tenants_and_an_apps_sessions_those_are_told_of_that_ended()
    {
        await using var grid = new WatchedSilos(1);
        using var watch = await StartedAsync(grid, "u");
        SessionRecord[] rows = [grid.Create(0, "u"), grid.Create(0, "u"), grid.Create(0, "u", "t1"), grid.Create(0, "u", "t2")];
        await ReadAsync(watch, 4);

        grid.Revoke(RevocationKind.User, rows[0], kept: rows[0]);
        Assert.Equal((SessionNoticeKind.Revoked, rows[1].Key.Handle, RevocationReason.Requested), Told(await NextAsync(watch)));
        grid.Revoke(RevocationKind.Tenant, rows[2], RevocationReason.TenantRemoved);
        Assert.Equal((SessionNoticeKind.Revoked, rows[2].Key.Handle, RevocationReason.TenantRemoved), Told(await NextAsync(watch)));
        grid.Revoke(RevocationKind.App, rows[0], RevocationReason.AppRemoved);
        Assert.Equal([rows[0].Key.Handle, rows[3].Key.Handle], (await ReadAsync(watch, 2)).Select(notice => notice.Session!.Value).OrderBy(handle => handle != rows[0].Key.Handle));
    }

    [Fact]
    public async Task An_end_that_is_heard_of_before_the_creation_is_told_after_it_and_with_its_reason()
    {
        await using var grid = new WatchedSilos(2);
        using var watch = await StartedAsync(grid, "u");
        var one = grid.Create(1, "u", tells: false);
        var other = grid.Create(1, "u", tells: false);
        grid.Revoke(RevocationKind.Session, one, RevocationReason.RefreshTokenReuse);
        grid.Revoke(RevocationKind.User, other, RevocationReason.Requested);
        await Task.Delay(TimeSpan.FromMilliseconds(50), Stop);
        grid.Notices(1).Created(one);
        grid.Notices(1).Created(other);

        var told = await ReadAsync(watch, 4);
        Assert.Equal([SessionNoticeKind.Created, SessionNoticeKind.Revoked], told.Where(notice => notice.Session == one.Key.Handle).Select(notice => notice.Kind));
        Assert.Equal([SessionNoticeKind.Created, SessionNoticeKind.Revoked], told.Where(notice => notice.Session == other.Key.Handle).Select(notice => notice.Kind));
        Assert.Equal(RevocationReason.RefreshTokenReuse, told.Single(notice => notice.Session == one.Key.Handle && notice.Kind == SessionNoticeKind.Revoked).Reason);
    }

    [Fact]
    public async Task What_expired_is_told_and_what_was_refreshed_unheard_is_not()
    {
        await using var grid = new WatchedSilos(1);
        using var watch = await StartedAsync(grid, "u");
        var row = grid.Create(0, "u", life: TimeSpan.FromHours(1));
        var refreshed = grid.Create(0, "u", life: TimeSpan.FromHours(1));
        await ReadAsync(watch, 2);
        grid.Write(0, refreshed, now => now with { ExpiresAt = now.ExpiresAt + TimeSpan.FromDays(1) }, tells: false);

        grid.Wall.Skip(TimeSpan.FromHours(2));

        Assert.Equal((SessionNoticeKind.Expired, row.Key.Handle, RevocationReason.Unknown), Told(await NextAsync(watch)));
        grid.Revoke(RevocationKind.Session, refreshed);
        Assert.Equal(SessionNoticeKind.Revoked, (await NextAsync(watch)).Kind);
    }

    [Theory]
    [InlineData("fails")]
    [InlineData("loses an answer")]
    [InlineData("dies")]
    [InlineData("joins")]
    [InlineData("drops")]
    [InlineData("does not know whether it wrote")]
    public async Task Whatever_may_have_been_missed_is_said_and_the_watch_goes_on(string fault)
    {
        await using var grid = new WatchedSilos(2, WatchedSilos.Patient with { Unfetched = 4 });
        using var watch = await StartedAsync(grid, "u");
        var known = grid.Create(0, "u");
        await NextAsync(watch);
        switch (fault)
        {
            case "fails":
                grid.Break(1, () => new TimeoutException());
                await MissedAsync(watch);
                grid.Create(1, "u");
                grid.Break(1, null);
                break;
            case "loses an answer":
                var failures = 0;
                grid.Break(1, () => Interlocked.Increment(ref failures) == 1 ? new TimeoutException() : null);
                break;
            case "dies":
                grid.Create(1, "u", tells: false);
                grid.Leave(1);
                break;
            case "joins":
                grid.Join();
                grid.Create(2, "u");
                break;
            case "drops":
                for (var i = 0; i < 100; i++)
                {
                    grid.Create(1, "u");
                }

                break;
            default:
                grid.Notices(1).Unknown(new WatchedUser(AppKey.Public, "u"));
                break;
        }

        // Links are whole again: what comes then is told.
        await MissedAsync(watch);
        SessionNotice told;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
            grid.Create(fault == "joins" ? 2 : fault == "dies" ? 0 : 1, "u");
            told = await NextAsync(watch);
        }
        while (told.Kind != SessionNoticeKind.Created);

        grid.Revoke(RevocationKind.Session, known);
        await UntilAsync(watch, notice => notice.Kind == SessionNoticeKind.Revoked && notice.Session == known.Key.Handle);
    }

    [Fact]
    public async Task A_silo_that_hangs_delays_no_start_for_ever()
    {
        await using var grid = new WatchedSilos(2, new WatchLimits());
        var held = new TaskCompletionSource();
        grid.Break(1, () =>
        {
            held.Task.Wait();
            return null;
        });

        using var watch = await StartedAsync(grid, "u");
        grid.Create(0, "u");
        var told = await UntilAsync(watch, notice => notice.Kind == SessionNoticeKind.Created);
        held.SetResult();
        await MissedAsync(watch);

        Assert.NotNull(told.Session);
    }

    [Fact]
    public async Task A_session_that_ended_unseen_is_told_of_when_its_log_begins_anew()
    {
        await using var grid = new WatchedSilos(1);
        using var watch = await StartedAsync(grid, "u");
        var row = grid.Create(0, "u");
        await NextAsync(watch);
        grid.Revoke(RevocationKind.Session, row, isHeard: false);

        grid.Watches.LogBegan();

        await MissedAsync(watch);
        Assert.Equal((SessionNoticeKind.Revoked, row.Key.Handle, RevocationReason.Unknown), Told(await UntilAsync(watch, notice => notice.Session is not null)));
    }

    [Fact]
    public async Task Who_does_not_read_gets_what_was_kept_and_then_the_word_that_something_is_missing()
    {
        await using var grid = new WatchedSilos(1);
        using var watch = await grid.WatchAsync("u");
        using var other = await StartedAsync(grid, "u");
        for (var i = 0; i < 600; i++)
        {
            grid.Create(0, "u");
            await UntilAsync(other, notice => notice.Kind == SessionNoticeKind.Created);
        }

        var kept = await ReadAsync(watch, 257);
        Assert.Equal((SessionNoticeKind.Started, SessionNoticeKind.Missed), (kept[0].Kind, kept[^1].Kind));
        Assert.All(kept.Skip(1).SkipLast(1), notice => Assert.Equal(SessionNoticeKind.Created, notice.Kind));
        Assert.Empty((await watch.ReadAsync(9, TimeSpan.Zero, Stop))!);
        var row = grid.Create(0, "u", "t1");
        Assert.Contains(row.Key.Handle, (await ReadAsync(watch, 1)).Select(notice => notice.Session).OfType<SessionHandle>());
    }

    [Fact]
    public async Task Nobody_waits_for_watches_and_entries_that_are_too_many_are_missed()
    {
        await using var grid = new WatchedSilos(1);
        using var watch = await StartedAsync(grid, "u");
        var row = grid.Create(0, "u");
        await NextAsync(watch);
        grid.IsAway = true;

        // Far more than fit, in the thread of who confirms.
        var entry = grid.Revoke(RevocationKind.User, row);
        for (var i = 0; i < 200_000; i++)
        {
            grid.Watches.Applied([entry]);
        }

        grid.IsAway = false;
        Assert.Equal(row.Key.Handle, (await UntilAsync(watch, notice => notice.Kind == SessionNoticeKind.Revoked)).Session);
    }

    [Fact]
    public async Task Each_client_each_app_and_each_silo_has_so_many_watches_and_one_that_ends_makes_room()
    {
        await using var grid = new WatchedSilos(1, WatchedSilos.Patient with { OfClient = 2, OfApp = 3, Watches = 4 });
        var first = await grid.WatchAsync("u", client: "a");
        using var second = await grid.WatchAsync("v", client: "a");
        Assert.Contains("This client has 2 watches", (await Assert.ThrowsAsync<InvalidOperationException>(() => grid.WatchAsync("w", client: "a"))).Message, StringComparison.Ordinal);
        using var third = await grid.WatchAsync("u", client: "b");
        Assert.Contains("The app 'public' has 3 watches", (await Assert.ThrowsAsync<InvalidOperationException>(() => grid.WatchAsync("w", client: "c"))).Message, StringComparison.Ordinal);

        first.Dispose();
        first.Dispose();
        using var again = await grid.WatchAsync("w", client: "a");
        Assert.Equal(3, grid.Watches.Count);
    }

    [Fact]
    public async Task When_nobody_watches_any_more_nobody_is_told_and_no_link_is_kept()
    {
        await using var grid = new WatchedSilos(2);
        Assert.False(grid.Notices(0).AreWanted);
        (await StartedAsync(grid, "u")).Dispose();
        (await StartedAsync(grid, "u")).Dispose();

        for (var waited = 0; (grid.Notices(0).AreWanted || grid.Notices(1).Links > 0) && waited < 1_000; waited++)
        {
            await Task.Delay(100, Stop);
        }

        Assert.Equal((false, 0, 0), (grid.Notices(0).AreWanted, grid.Notices(0).Links, grid.Notices(1).Links));
    }

    [Fact]
    public async Task A_watch_ends_with_its_silo()
    {
        var grid = new WatchedSilos(1);
        using var watch = await StartedAsync(grid, "u");
        var reading = watch.ReadAsync(9, Patience, Stop);

        await grid.DisposeAsync();

        Assert.Null(await reading);
    }

    private static SessionRecord Refreshed(SessionRecord row) => row with { Chain = new RefreshChain(TokenHash.Of(Guid.NewGuid().ToString())) };

    private static (SessionNoticeKind, SessionHandle, RevocationReason) Told(SessionNotice notice) => (notice.Kind, notice.Session!.Value, notice.Reason);

    private static async Task<IUserWatch> StartedAsync(WatchedSilos grid, string user)
    {
        var watch = await grid.WatchAsync(user);
        Assert.Equal(SessionNoticeKind.Started, (await NextAsync(watch)).Kind);
        return watch;
    }

    private static Task<SessionNotice> MissedAsync(IUserWatch watch) => UntilAsync(watch, notice => notice.Kind == SessionNoticeKind.Missed);

    private static async Task<SessionNotice> UntilAsync(IUserWatch watch, Predicate<SessionNotice> isMeant)
    {
        while (true)
        {
            if (await NextAsync(watch) is var next && isMeant(next))
            {
                return next;
            }
        }
    }

    private static async Task<SessionNotice> NextAsync(IUserWatch watch) => (await ReadAsync(watch, 1))[0];

    private static async Task<List<SessionNotice>> ReadAsync(IUserWatch watch, int count)
    {
        List<SessionNotice> all = [];
        while (all.Count < count)
        {
            var read = await watch.ReadAsync(count - all.Count, Patience, Stop);
            Assert.True(read is { Count: > 0 }, $"Nothing came after {all.Count}.");
            all.AddRange(read);
        }

        return all;
    }
}
