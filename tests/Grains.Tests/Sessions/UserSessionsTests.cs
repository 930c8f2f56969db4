using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Grains.Sessions;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Log;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Tests.Sessions;

public sealed class UserSessionsTests(GridCluster grid)
{
    [Fact]
    public async Task A_users_sessions_are_listed_oldest_first_without_the_expired_ones()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var first = await grid.CreateSessionAsync(userId: user);
        var expired = await grid.CreateSessionAsync(userId: user, validity: TimeSpan.FromMilliseconds(1));
        grid.Clock.Skip(TimeSpan.FromMilliseconds(5));
        var last = await grid.CreateSessionAsync(userId: user);

        var listed = await User(user).ListAsync(allTenants: false, CancellationToken.None);

        Assert.Equal([first.Key.Handle, last.Key.Handle], listed.Sessions);
        Assert.DoesNotContain(expired.Key.Handle, listed.Sessions);
    }

    [Fact]
    public async Task Revoking_all_ends_this_tenants_sessions_only()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var here = await grid.CreateSessionAsync(userId: user);
        var there = await grid.CreateSessionAsync(tenantId: "t1", userId: user);

        var revoked = await User(user).RevokeAllAsync(allTenants: false, null, RevocationReason.Requested, CancellationToken.None);

        Assert.Equal([here.Key.Handle], revoked.Sessions);
        Assert.Null(await grid.Store.ReadAsync(here.Key, CancellationToken.None));
        Assert.NotNull(await grid.Store.ReadAsync(there.Key, CancellationToken.None));
    }

    [Fact]
    public async Task Revoking_all_in_all_tenants_ends_every_session_of_the_user_in_the_app_and_nobody_elses()
    {
        var user = $"user-{Guid.NewGuid():N}";
        TestSession[] own = [await grid.CreateSessionAsync(userId: user), await grid.CreateSessionAsync(tenantId: "t1", userId: user)];
        var stranger = await grid.CreateSessionAsync();
        var namesake = await grid.CreateSessionAsync(app: await grid.CreateAppAsync(), userId: user);

        var revoked = await User(user).RevokeAllAsync(allTenants: true, null, RevocationReason.Requested, CancellationToken.None);

        Assert.Equal(own.Select(s => s.Key.Handle).ToHashSet(), revoked.Sessions.ToHashSet());
        Assert.NotNull(await grid.Store.ReadAsync(stranger.Key, CancellationToken.None));
        Assert.NotNull(await grid.Store.ReadAsync(namesake.Key, CancellationToken.None));
    }

    [Fact]
    public async Task The_excepted_session_lives_on_and_still_refreshes()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var kept = await grid.CreateSessionAsync(userId: user);
        await kept.RefreshAsync(kept.Token, "a");
        var other = await grid.CreateSessionAsync(userId: user);

        var revoked = await User(user).RevokeAllAsync(allTenants: false, kept.Key.Handle, RevocationReason.Requested, CancellationToken.None);

        Assert.Equal([other.Key.Handle], revoked.Sessions);
        Assert.Equal(RefreshVerdict.Rotated, (await kept.RefreshAsync("a", "b")).Verdict);
    }

    [Fact]
    public async Task A_thousand_sessions_end_without_waking_their_grains()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var template = await grid.CreateSessionAsync(userId: user);
        var row = (await grid.Store.ReadAsync(template.Key, CancellationToken.None))!;
        var keys = Enumerable.Range(0, 999)
            .Select(_ => row.Key with { Handle = SessionHandle.Create(TenantKey.PublicId, row.CreatedAt) }).ToArray();
        await Task.WhenAll(keys.Select(key => grid.Store.InsertAsync(row with { Key = key }, CancellationToken.None).AsTask()));

        var revoked = await User(user).RevokeAllAsync(allTenants: false, null, RevocationReason.Requested, CancellationToken.None);

        Assert.Equal(1000, revoked.Sessions.Length);
        var management = grid.Grains.GetGrain<IManagementGrain>(0);
        foreach (var key in keys.Take(20))
        {
            Assert.Null(await management.GetActivationAddress(grid.Grains.GetGrain<ISessionGrain>(key.ToString())));
        }
    }

    [Fact]
    public async Task An_active_session_grain_hears_of_its_end_wherever_it_is()
    {
        var user = $"user-{Guid.NewGuid():N}";
        TestSession[] sessions = [.. await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => grid.CreateSessionAsync(userId: user)))];
        foreach (var session in sessions)
        {
            await session.RefreshAsync(session.Token, $"next-{session.Token}");
        }

        var revoked = await User(user).RevokeAllAsync(allTenants: false, null, RevocationReason.Requested, CancellationToken.None);
        await grid.Service<Revoker>().ConfirmAsync(revoked.Entries, CancellationToken.None);

        var reads = grid.Store.Reads;
        foreach (var session in sessions)
        {
            Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync($"next-{session.Token}", "x")).Verdict);
        }

        Assert.InRange(grid.Store.Reads - reads, 0, sessions.Length);
    }

    [Theory]
    [InlineData(RevocationKind.App)]
    [InlineData(RevocationKind.Tenant)]
    [InlineData(RevocationKind.User)]
    public async Task An_entry_older_than_the_session_and_heard_later_ends_nothing(RevocationKind kind)
    {
        // As when a tenant is made: the entry that ends what a former tenant left is heard while the first sessions are already there.
        var session = await grid.CreateSessionAsync(await grid.CreateAppAsync());
        await session.RefreshAsync(session.Token, "first");
        var (reached, release) = grid.Store.HoldNextWrite();
        var busy = session.RefreshAsync("first", "second");
        await reached;
        var waiting = session.Grain.UpdateAsync("""{"a":1}""", null, CancellationToken.None);

        for (var silo = 0; silo < 3; silo++)
        {
            grid.Service<ActiveSessionGrains>(silo).LetGo([new RevocationEntry
            {
                Position = 1,
                Kind = kind,
                App = session.Key.App.ToString(),
                Tenant = session.Key.Handle.TenantId,
                UserId = session.UserId,
            }]);
        }

        release.SetResult();
        Assert.Equal(RefreshVerdict.Rotated, (await busy).Verdict);
        Assert.Equal(SessionOutcome.Ok, (await waiting).Outcome);
        Assert.Equal(RefreshVerdict.Rotated, (await session.RefreshAsync("second", "third")).Verdict);
    }

    [Fact]
    public async Task A_revocation_whose_answer_is_lost_is_unavailable_and_can_be_repeated()
    {
        var user = $"user-{Guid.NewGuid():N}";
        var session = await grid.CreateSessionAsync(userId: user);
        grid.Store.LoseNextAnswer();

        var unknown = await User(user).RevokeAllAsync(allTenants: false, null, RevocationReason.Requested, CancellationToken.None);
        var again = await User(user).RevokeAllAsync(allTenants: false, null, RevocationReason.Requested, CancellationToken.None);

        Assert.Equal(SessionOutcome.Unavailable, unknown.Outcome);
        Assert.Equal(SessionOutcome.Ok, again.Outcome);
        Assert.Null(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
    }

    private IUserGrain User(string userId) =>
        grid.Grains.GetGrain<IUserGrain>(new UserKey(new TenantKey(AppKey.Public, TenantKey.PublicId), userId).ToString());
}
