using Grid.Client;

namespace Grid.HostKit;

/// <summary>What a .NET service sees of a silo that has too many requests at once, by whichever door it comes.</summary>
internal static class Overloads
{
    /// <summary>An outage to it, which signs nobody out and has begun nothing; and sessions end all the same.</summary>
    public static async Task AreOutagesAsync(CoreHost core, IGridSessions sessions, CancellationToken stop)
    {
        var user = $"user-{Guid.NewGuid():N}";
        var made = await sessions.CreateAsync(new SessionDraft { UserId = user }, stop);
        var other = await sessions.CreateAsync(new SessionDraft { UserId = user }, stop);
        using (core.TakePlaces("Refresh", "Create", "Verify", "List"))
        {
            Func<Task>[] calls =
            [
                () => sessions.CreateAsync(new SessionDraft { UserId = user }, stop),
                () => sessions.RefreshAsync(new TokenToRefresh(made.Tokens.Refresh.Text, EnableAntiCsrf: false, AntiCsrf: null, UseDynamicSigningKey: true), stop),
                () => sessions.UpdateDataAsync(made.Handle, """{"changed":true}""", stop),
                () => sessions.FindAsync(made.Handle, stop).AsTask(),
                () => sessions.ListAsync(user, null, stop),
            ];
            foreach (var call in calls)
            {
                var failure = await Assert.ThrowsAsync<GridException>(call);
                Assert.Equal(GridFailure.Unavailable, failure.Reason);

                // The times that the door gives.
                Assert.Contains(failure.RetryAfter, new TimeSpan?[] { TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3) });
            }

            Assert.Equal([other.Handle], (await sessions.RevokeAsync(other.Handle, GridRevocationReason.SignedOut, stop)).Handles);
        }

        Assert.Equal([made.Handle], await sessions.ListAsync(user, null, stop));
        Assert.Equal("{}", (await sessions.FindAsync(made.Handle, stop))!.DataJson);
        Assert.Equal(SessionVerdict.Ok, (await sessions.RefreshAsync(new TokenToRefresh(made.Tokens.Refresh.Text, EnableAntiCsrf: false, AntiCsrf: null, UseDynamicSigningKey: true), stop)).Verdict);
    }
}
