using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Tests.Holders;

/// <summary>Three silos, each a holder: what one revokes, all refuse.</summary>
public sealed class RevocationTests(GridCluster grid)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_revocation_is_confirmed_by_every_silo_and_refused_by_each_from_then_on()
    {
        var session = await grid.CreateSessionAsync();
        await AssertEverywhereAsync(session.Key, Liveness.Active);

        var (revoked, receipt) = await grid.RevokeAsync(
            new RevocationScope.Named { App = session.Key.App, Sessions = [session.Key.Handle] }, Stop, silo: 1);

        Assert.Equal([session.Key.Handle], revoked.Sessions);
        Assert.Equal((3, 0, 0), (receipt.Confirmed, receipt.Waited, receipt.Excluded));
        Assert.Equal(revoked.Entries[^1].Position, receipt.Position);
        await AssertEverywhereAsync(session.Key, Liveness.Ended);
    }

    [Fact]
    public async Task A_known_session_is_judged_without_the_store()
    {
        var session = await grid.CreateSessionAsync();
        await AssertEverywhereAsync(session.Key, Liveness.Active);
        var reads = grid.Store.Reads;

        for (var i = 0; i < 100; i++)
        {
            await AssertEverywhereAsync(session.Key, Liveness.Active);
        }

        Assert.Equal(reads, grid.Store.Reads);
    }

    [Fact]
    public async Task A_users_sessions_end_everywhere_by_one_entry_and_the_excepted_one_lives_on()
    {
        var user = $"user-{Guid.NewGuid():N}";
        TestSession[] sessions = [.. await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => grid.CreateSessionAsync(userId: user)))];
        foreach (var session in sessions)
        {
            await AssertEverywhereAsync(session.Key, Liveness.Active);
        }

        var (revoked, receipt) = await grid.RevokeAsync(
            new RevocationScope.User { App = AppKey.Public, TenantId = TenantKey.PublicId, UserId = user, Except = sessions[0].Key.Handle }, Stop);

        Assert.Equal(3, receipt.Confirmed);
        Assert.Equal(19, revoked.Sessions.Length);
        Assert.Single(revoked.Entries);
        await AssertEverywhereAsync(sessions[0].Key, Liveness.Active);
        foreach (var session in sessions.Skip(1))
        {
            await AssertEverywhereAsync(session.Key, Liveness.Ended);
        }
    }

    [Fact]
    public async Task Who_watches_a_session_is_told_of_its_end_in_another_silo()
    {
        var session = await grid.CreateSessionAsync();
        await AssertEverywhereAsync(session.Key, Liveness.Active);
        using var watch = grid.Service<SessionChecks>(2).Watch(Name(session.Key));
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = watch.Ended.Register(told.SetResult);

        await grid.RevokeAsync(
            new RevocationScope.Named { App = session.Key.App, Sessions = [session.Key.Handle] }, Stop);

        await told.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop);
    }

    [Fact]
    public async Task What_is_remembered_of_a_session_is_read_again_after_a_write_in_another_silo()
    {
        var session = await grid.CreateSessionAsync();
        await AssertEverywhereAsync(session.Key, Liveness.Active);

        await session.Grain.UpdateAsync("""{"role":"user"}""", null, Stop);

        for (var silo = 0; silo < 3; silo++)
        {
            // The notice is on its way for a moment; nothing else would bring the new payload within the lease.
            while (await PayloadAsync(silo, session.Key) != """{"role":"user"}""")
            {
                await Task.Delay(5, Stop);
            }
        }
    }

    [Fact]
    public async Task Who_waits_until_the_silos_are_told_of_a_write_finds_it_in_each()
    {
        var session = await grid.CreateSessionAsync();
        await AssertEverywhereAsync(session.Key, Liveness.Active);
        for (var number = 1; ; number++)
        {
            var payload = $$"""{"number":{{number}}}""";
            await session.Grain.UpdateAsync(payload, null, Stop);
            await grid.Service<ISessionChanges>(number % 3).TellAsync(session.Key);

            string[] seen = [await PayloadAsync(0, session.Key), await PayloadAsync(1, session.Key), await PayloadAsync(2, session.Key)];
            if (seen.All(seen => seen == payload))
            {
                return;
            }

            // A silo that has no time for a second is not waited for.
            Assert.True(number < 100, string.Join(' ', seen));
        }
    }

    [Fact]
    public async Task An_active_session_grain_drops_what_it_remembers()
    {
        var session = await grid.CreateSessionAsync();
        await session.RefreshAsync(session.Token, "a");
        await grid.RevokeAsync(
            new RevocationScope.User { App = session.Key.App, TenantId = TenantKey.PublicId, UserId = session.UserId }, Stop);
        var reads = grid.Store.Reads;

        Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync("a", "b")).Verdict);

        // It answers from the end itself, or was activated anew and read once; a grain that was not told would have tried to write first.
        Assert.InRange(grid.Store.Reads - reads, 0, 1);
    }

    [Fact]
    public async Task All_active_grains_of_a_user_drop_what_they_remember_whichever_left_before()
    {
        var first = await grid.CreateSessionAsync();
        List<TestSession> sessions = [first];
        for (var i = 0; i < 4; i++)
        {
            sessions.Add(await grid.CreateSessionAsync(userId: first.UserId));
        }

        foreach (var session in sessions)
        {
            Assert.Equal(RefreshVerdict.Rotated, (await session.RefreshAsync(session.Token, "a")).Verdict);
        }

        foreach (var gone in new[] { sessions[0], sessions[3] })
        {
            await grid.RevokeAsync(new RevocationScope.Named { App = gone.Key.App, Sessions = [gone.Key.Handle] }, Stop);
        }

        await grid.RevokeAsync(new RevocationScope.User { App = first.Key.App, TenantId = TenantKey.PublicId, UserId = first.UserId }, Stop);

        // One that was not told would try to write.
        var writes = grid.Store.Updates;
        foreach (var session in sessions)
        {
            Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync("a", "b")).Verdict);
        }

        Assert.Equal(writes, grid.Store.Updates);
    }

    private static SessionName Name(SessionKey key) => new(key.App.ToString(), key.Handle.TenantId, key.Handle.Id);

    private async Task<string> PayloadAsync(int silo, SessionKey key) =>
        RememberedRow.From((await grid.Service<SessionChecks>(silo).FindAsync(Name(key), TimeSpan.FromSeconds(10))).Session!.Details!, "").PayloadJson;

    private async Task AssertEverywhereAsync(SessionKey key, Liveness expected)
    {
        for (var silo = 0; silo < 3; silo++)
        {
            Assert.Equal(expected, (await grid.Service<SessionChecks>(silo).FindAsync(Name(key))).Liveness);
        }
    }
}
