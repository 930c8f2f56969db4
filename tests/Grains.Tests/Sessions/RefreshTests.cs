using Grid.Abstractions.Sessions;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Tests.Sessions;

public sealed class RefreshTests(GridCluster grid)
{
    [Fact]
    public async Task A_refresh_rotates_and_the_new_token_rotates_next()
    {
        var session = await grid.CreateSessionAsync();

        var first = await session.RefreshAsync(session.Token, "a");
        var second = await session.RefreshAsync("a", "b");

        Assert.Equal((RefreshVerdict.Rotated, "a"), (first.Verdict, first.RefreshToken));
        Assert.Equal((RefreshVerdict.Rotated, "b"), (second.Verdict, second.RefreshToken));
        var row = await grid.Store.ReadAsync(session.Key, CancellationToken.None);
        Assert.Equal(TestSession.Hash("b"), row!.Chain.Current);
        Assert.Equal(TestSession.Hash("a"), row.Chain.Previous);
        Assert.Equal(3, row.Version);
    }

    [Fact]
    public async Task A_refresh_extends_the_life_of_the_session()
    {
        var session = await grid.CreateSessionAsync(validity: TimeSpan.FromHours(1));

        var refreshed = await session.RefreshAsync(session.Token, "a");

        Assert.True(refreshed.Session!.ExpiresAt > grid.Clock.GetUtcNow() + TimeSpan.FromDays(99));
    }

    [Fact]
    public async Task A_token_replaced_long_ago_ends_the_session_before_the_answer()
    {
        var session = await grid.CreateSessionAsync();
        await session.RefreshAsync(session.Token, "a");
        await session.RefreshAsync("a", "b");

        var reuse = await session.RefreshAsync(session.Token, "c");

        Assert.Equal((RefreshVerdict.Reuse, ReuseKind.StaleLineage), (reuse.Verdict, reuse.Reuse));
        Assert.Equal(session.UserId, reuse.Session!.UserId);
        Assert.Null(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
        Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync("b", "d")).Verdict);
    }

    [Fact]
    public async Task By_the_older_rules_a_reuse_is_reported_and_the_session_lives_on()
    {
        var session = await grid.CreateSessionAsync();
        await session.RefreshAsync(session.Token, "a");
        await session.RefreshAsync("a", "b");

        var reuse = await session.RefreshAsync(session.Token, "c", olderRules: true);

        Assert.Equal(RefreshVerdict.Reuse, reuse.Verdict);
        Assert.NotNull(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
    }

    [Fact]
    public async Task Overlapping_refreshes_with_one_token_share_one_rotation()
    {
        var session = await grid.CreateSessionAsync();
        var (reached, release) = grid.Store.HoldNextWrite();
        var first = session.RefreshAsync(session.Token, "first");
        await reached;
        var updatesBefore = grid.Store.Updates;

        Task<RefreshResult>[] others = [.. Enumerable.Range(0, 8).Select(i => session.RefreshAsync(session.Token, $"other-{i}"))];

        await grid.Calls.WaitForAsync(session.Grain, nameof(ISessionGrain.RefreshAsync), 9);
        release.SetResult();

        Assert.All(await Task.WhenAll([first, .. others]), result =>
        {
            Assert.Equal(RefreshVerdict.Rotated, result.Verdict);
            Assert.Equal("first", result.RefreshToken);
        });
        Assert.Equal(updatesBefore, grid.Store.Updates);
    }

    [Fact]
    public async Task A_refresh_a_moment_later_joins_where_asked_until_the_token_moves_on()
    {
        var session = await grid.CreateSessionAsync();
        var join = TimeSpan.FromSeconds(2);
        await session.RefreshAsync(session.Token, "a", joinWithin: join);

        Assert.Equal("a", (await session.RefreshAsync(session.Token, "b", joinWithin: join)).RefreshToken);
        Assert.Equal("c", (await session.RefreshAsync(session.Token, "c")).RefreshToken);
        Assert.Equal("c", (await session.RefreshAsync(session.Token, "d", joinWithin: join)).RefreshToken);
        grid.Clock.Skip(join);
        Assert.Equal("e", (await session.RefreshAsync(session.Token, "e", joinWithin: join)).RefreshToken);
        Assert.Equal("f", (await session.RefreshAsync("e", "f", joinWithin: join)).RefreshToken);
        Assert.Equal(RefreshVerdict.Reuse, (await session.RefreshAsync(session.Token, "g", joinWithin: join)).Verdict);
    }

    [Fact]
    public async Task A_refresh_joins_nothing_of_a_session_that_has_ended()
    {
        var session = await grid.CreateSessionAsync();
        var join = TimeSpan.FromSeconds(2);
        await session.RefreshAsync(session.Token, "a", joinWithin: join);
        await grid.Store.RevokeAsync(
            new RevocationScope.Named { App = session.Key.App, Sessions = [session.Key.Handle] },
            RevocationReason.Requested, grid.Clock.GetUtcNow(), CancellationToken.None);

        Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync(session.Token, "b", joinWithin: join)).Verdict);
    }

    [Fact]
    public async Task A_lost_answer_leaves_the_presented_token_usable()
    {
        var session = await grid.CreateSessionAsync();
        grid.Store.LoseNextAnswer();

        var unknown = await session.RefreshAsync(session.Token, "a");
        var retried = await session.RefreshAsync(session.Token, "b");

        Assert.Equal(RefreshVerdict.Unavailable, unknown.Verdict);
        Assert.Equal((RefreshVerdict.RotatedWithinGrace, "b"), (retried.Verdict, retried.RefreshToken));
        Assert.Equal(TestSession.Hash("b"), (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.Chain.Current);
    }

    [Fact]
    public async Task A_lost_write_leaves_the_presented_token_current()
    {
        var session = await grid.CreateSessionAsync();
        grid.Store.LoseNextWrite();

        Assert.Equal(RefreshVerdict.Unavailable, (await session.RefreshAsync(session.Token, "a")).Verdict);

        Assert.Equal(RefreshVerdict.Rotated, (await session.RefreshAsync(session.Token, "b")).Verdict);
        Assert.Equal(TestSession.Hash(session.Token), (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.Chain.Previous);
    }

    [Fact]
    public async Task A_row_in_memory_that_another_activation_changed_is_read_again()
    {
        var session = await grid.CreateSessionAsync();
        await session.RefreshAsync(session.Token, "a");
        var row = (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!;
        var elsewhere = row with { Chain = new RefreshChain(TestSession.Hash("z"), TestSession.Hash("a"), row.Chain.RotatedAt), Version = row.Version + 1 };
        Assert.True(await grid.Store.UpdateAsync(elsewhere, CancellationToken.None));

        var refreshed = await session.RefreshAsync("z", "b");

        Assert.Equal(RefreshVerdict.Rotated, refreshed.Verdict);
        Assert.Equal(elsewhere.Version + 1, (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.Version);
    }

    [Fact]
    public async Task A_session_removed_behind_the_grains_back_is_not_found_and_stays_away()
    {
        var session = await grid.CreateSessionAsync();
        await session.RefreshAsync(session.Token, "a");
        await grid.Store.RevokeAsync(
            new RevocationScope.Named { App = session.Key.App, Sessions = [session.Key.Handle] },
            RevocationReason.Requested, grid.Clock.GetUtcNow(), CancellationToken.None);

        Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync("a", "b")).Verdict);
        Assert.Equal(SessionOutcome.NotFound, (await session.Grain.UpdateAsync("{}", null, CancellationToken.None)).Outcome);
        Assert.Null(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
    }

    [Fact]
    public async Task An_expired_session_is_not_found_although_its_row_is_there()
    {
        var session = await grid.CreateSessionAsync(validity: TimeSpan.FromMilliseconds(1));
        grid.Clock.Skip(TimeSpan.FromMilliseconds(5));

        Assert.Equal(RefreshVerdict.NotFound, (await session.RefreshAsync(session.Token, "a")).Verdict);
        Assert.NotNull(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
    }

    [Fact]
    public async Task A_child_by_the_older_rules_becomes_current_on_first_use()
    {
        var session = await grid.CreateSessionAsync();
        var child = await session.RefreshAsync(session.Token, "child", olderRules: true);
        Assert.Equal(RefreshVerdict.Child, child.Verdict);
        Assert.Equal(TestSession.Hash(session.Token), (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.Chain.Current);

        var promoted = await session.Grain.PromoteAsync(
            new PromoteRequest
            {
                Token = TestSession.Hash("child"),
                Parent = TestSession.Hash(session.Token),
                RefreshTokenValidity = TimeSpan.FromDays(100),
            },
            CancellationToken.None);

        Assert.Equal((SessionOutcome.Ok, true), (promoted.Outcome, promoted.IsCurrent));
        Assert.Equal(TestSession.Hash("child"), (await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.Chain.Current);
    }

    [Fact]
    public async Task A_changed_key_kind_is_kept_with_the_session()
    {
        var session = await grid.CreateSessionAsync();

        await session.Grain.RefreshAsync(
            new RefreshRequest
            {
                Presented = TestSession.Hash(session.Token),
                PresentedParent = null,
                CandidateToken = "child",
                CandidateAntiCsrf = null,
                OlderRules = true,
                UseDynamicKey = false,
                RefreshTokenValidity = TimeSpan.FromDays(1),
                Grace = TimeSpan.Zero,
            },
            CancellationToken.None);

        Assert.False((await grid.Store.ReadAsync(session.Key, CancellationToken.None))!.UseDynamicKey);
    }
}
