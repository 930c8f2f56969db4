using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Grains.Tests.Sessions;

/// <summary>Sessions whose handle was given out beforehand.</summary>
public sealed class OrderedSessionTests(GridCluster grid)
{
    [Fact]
    public async Task A_redemption_whose_answer_is_lost_has_used_the_permit_up()
    {
        var (grain, key, session) = await OrderAsync();

        grid.Store.LoseNextAnswer();
        var lost = await grain.CreateAsync(session, CancellationToken.None);
        var again = await grain.CreateAsync(session, CancellationToken.None);

        Assert.Equal((SessionOutcome.Unavailable, SessionOutcome.NotFound), (lost.Outcome, again.Outcome));
        await grid.Service<ISessionRevoker>().CommitAsync(
            new RevocationScope.User { App = key.App, TenantId = null, UserId = session.UserId }, RevocationReason.Requested, CancellationToken.None);
        Assert.Equal(SessionOutcome.NotFound, (await grain.CreateAsync(session, CancellationToken.None)).Outcome);
        Assert.Null(await grid.Store.ReadAsync(key, CancellationToken.None));
    }

    [Fact]
    public async Task A_redemption_that_did_not_reach_the_store_leaves_the_permit()
    {
        var (grain, _, session) = await OrderAsync();

        grid.Store.LoseNextWrite();
        var lost = await grain.CreateAsync(session, CancellationToken.None);
        var again = await grain.CreateAsync(session, CancellationToken.None);

        Assert.Equal((SessionOutcome.Unavailable, SessionOutcome.Ok), (lost.Outcome, again.Outcome));
    }

    [Fact]
    public async Task A_delayed_redemption_comes_too_late_for_a_revocation_that_passed_it()
    {
        var (grain, key, session) = await OrderAsync();
        var (reached, release) = grid.Store.HoldNextWrite();
        var late = grain.CreateAsync(session, CancellationToken.None);
        await reached;

        await grid.Service<ISessionRevoker>(1).CommitAsync(new RevocationScope.WholeApp { App = key.App }, RevocationReason.Requested, CancellationToken.None);
        release.SetResult();

        Assert.Equal(SessionOutcome.NotFound, (await late).Outcome);
        Assert.Null(await grid.Store.ReadAsync(key, CancellationToken.None));
    }

    private async Task<(ISessionGrain Grain, SessionKey Key, NewSession Session)> OrderAsync()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(grid.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        var key = new SessionKey(await grid.CreateAppAsync(), SessionHandle.Create(TenantKey.PublicId, now));
        var session = new NewSession
        {
            UserId = $"user-{Guid.NewGuid():N}",
            RefreshTokenHash = TestSession.Hash("token"),
            PayloadJson = "{}",
            DataJson = "{}",
            UseDynamicKey = true,
            CreatedAt = now,
            ExpiresAt = now.AddDays(1),
            IsOrdered = true,
        };
        await grid.Store.OrderAsync(new SessionOrder(key, session.UserId, now.AddMinutes(1)), CancellationToken.None);
        return (grid.Grains.GetGrain<ISessionGrain>(key.ToString()), key, session);
    }
}
