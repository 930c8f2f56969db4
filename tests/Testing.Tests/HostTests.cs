using System.Net.Sockets;

namespace Grid.Testing.Tests;

/// <summary>A whole Grid in the test's process, and its clock.</summary>
public sealed class HostTests(SharedHost shared)
{
    private readonly string _user = $"user-{Guid.NewGuid():N}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Access_tokens_expire_after_exactly_an_hour_of_its_clock_and_sessions_after_a_hundred_days()
    {
        await using var grid = await GridTestHost.StartAsync(cancellationToken: Stop);
        var made = await grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);

        grid.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal(SessionVerdict.Ok, await VerdictAsync(grid, made.Tokens.Access.Text));
        grid.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(SessionVerdict.TryRefresh, await VerdictAsync(grid, made.Tokens.Access.Text));
        var refreshed = await RefreshAsync(grid, made.Tokens.Refresh.Text);
        Assert.Equal(SessionVerdict.Ok, await VerdictAsync(grid, refreshed.Tokens!.Access.Text));

        grid.Clock.Advance(TimeSpan.FromDays(100) - TimeSpan.FromSeconds(1));
        Assert.True(await grid.Sessions.IsActiveAsync(made.Handle, Stop));
        Assert.Equal([made.Handle], await grid.Sessions.ListAsync(_user, null, Stop));
        grid.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await grid.Sessions.ListAsync(_user, null, Stop));
        Assert.Null(await grid.Sessions.FindAsync(made.Handle, Stop));
        Assert.Equal(SessionVerdict.Unauthorised, (await RefreshAsync(grid, refreshed.Tokens.Refresh.Text)).Verdict);

        // Keys have rotated meanwhile.
        var later = await grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        Assert.Equal(SessionVerdict.Ok, await VerdictAsync(grid, later.Tokens.Access.Text));
    }

    [Fact]
    public async Task Grace_and_reuse_of_refresh_tokens_go_by_its_clock()
    {
        await using var grid = await GridTestHost.StartAsync(cancellationToken: Stop);
        var made = await grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        var first = await RefreshAsync(grid, made.Tokens.Refresh.Text);

        // At the same moment, as tabs do: one answer for all.
        Assert.Equal(first.Tokens!.Refresh.Text, (await RefreshAsync(grid, made.Tokens.Refresh.Text)).Tokens!.Refresh.Text);

        grid.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(SessionVerdict.TokenTheft, (await RefreshAsync(grid, made.Tokens.Refresh.Text)).Verdict);
        Assert.False(await grid.Sessions.IsActiveAsync(made.Handle, Stop));
    }

    [Fact]
    public async Task No_lease_lapses_and_no_call_times_out_while_the_clock_is_moved()
    {
        await using var grid = await GridTestHost.StartAsync(cancellationToken: Stop);
        var made = await grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        var calls = Enumerable.Range(0, 20).Select(async number =>
        {
            var session = await grid.Sessions.CreateAsync(new SessionDraft { UserId = $"{_user}-{number}" }, Stop);
            Assert.True(await grid.Sessions.IsActiveAsync(session.Handle, Stop));
            Assert.Equal([session.Handle], (await grid.Sessions.RevokeUserAsync($"{_user}-{number}", null, null, Stop)).Handles);
        }).ToList();

        for (var move = 0; move < 50; move++)
        {
            grid.Clock.Advance(TimeSpan.FromHours(1));
            Assert.True(await grid.Sessions.IsActiveAsync(made.Handle, Stop));
        }

        await Task.WhenAll(calls);
        var revoked = await grid.Sessions.RevokeAsync(made.Handle, Stop);
        Assert.Equal((1, 0), (revoked.Receipt.Confirmed, revoked.Receipt.Waited));
    }

    [Fact]
    public async Task Several_run_side_by_side_and_know_nothing_of_each_other()
    {
        var grids = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => GridTestHost.StartAsync(cancellationToken: Stop)));
        try
        {
            var made = await Task.WhenAll(grids.Select(grid => grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop)));
            grids[0].Clock.Advance(TimeSpan.FromHours(2));
            await grids[1].Sessions.RevokeUserAsync(_user, null, null, Stop);

            Assert.Equal(3, grids.Select(grid => grid.CoreApi).Distinct().Count());
            Assert.Equal(SessionVerdict.TryRefresh, await VerdictAsync(grids[0], made[0].Tokens.Access.Text));
            Assert.Equal(SessionVerdict.Unauthorised, await VerdictAsync(grids[1], made[1].Tokens.Access.Text));
            Assert.Equal(SessionVerdict.Ok, await VerdictAsync(grids[2], made[2].Tokens.Access.Text));
            Assert.Null(await grids[2].Sessions.FindAsync(made[0].Handle, Stop));
        }
        finally
        {
            await Task.WhenAll(grids.Select(grid => grid.DisposeAsync().AsTask()));
        }
    }

    [Fact]
    public async Task When_it_is_disposed_of_nothing_is_left()
    {
        var grid = await GridTestHost.StartAsync(cancellationToken: Stop);
        await grid.Sessions.CreateAsync(new SessionDraft { UserId = _user }, Stop);
        var (address, folder) = (grid.CoreApi, grid.Folder);
        Assert.NotEmpty(Directory.GetFiles(folder));

        await grid.DisposeAsync();

        Assert.False(Directory.Exists(folder));
        using var client = new TcpClient();
        await Assert.ThrowsAnyAsync<SocketException>(async () => await client.ConnectAsync(address.Host, address.Port, Stop));
    }

    [Fact]
    public async Task Back_ends_reach_its_core_api_and_tenants_can_be_added()
    {
        await shared.Grid.AddTenantAsync("customers", Stop);
        var made = await shared.Grid.Sessions.CreateAsync(new SessionDraft { UserId = _user, TenantId = "customers" }, Stop);

        using var http = new HttpClient { BaseAddress = shared.Grid.CoreApi };
        Assert.Contains(made.Handle, await http.GetStringAsync($"/customers/recipe/session/user?userId={_user}&fetchAcrossAllTenants=false", Stop), StringComparison.Ordinal);
    }

    private static async Task<SessionVerdict> VerdictAsync(GridTestHost grid, string token) => (await grid.Sessions.VerifyAsync(new TokenToCheck(token, false, null, true), Stop)).Verdict;

    private static Task<TokenRefresh> RefreshAsync(GridTestHost grid, string token) => grid.Sessions.RefreshAsync(new TokenToRefresh(token, false, null, true), Stop);
}
