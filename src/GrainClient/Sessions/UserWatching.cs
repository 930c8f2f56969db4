using System.Runtime.CompilerServices;
using Grid.Client;

namespace Grid.GrainClient.Sessions;

/// <summary>Watches a user by whichever silo there is, one after the other.</summary>
internal sealed class UserWatching(DoorCalls doors, TimeProvider wall)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc cref="IGridSessions.WatchUserAsync"/>
    public async IAsyncEnumerable<SessionEvent> WatchAsync(string userId, string? tenantId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        WholeText.Require(userId);

        // Half of the time that a call has: an answer that says "nothing" is not to be taken for none.
        var within = doors.Patience / 2 < LongestWait ? doors.Patience / 2 : LongestWait;
        var wasWatching = false;
        while (true)
        {
            var watch = await OrNothingAsync(() => doors.WatchesAsync(door => door.OpenAsync(userId, tenantId), cancellationToken));
            var isOver = watch is null;
            try
            {
                for (var number = 1L; !isOver; number++)
                {
                    var next = number;
                    var fetched = await OrNothingAsync(() => doors.WatchesAsync(door => door.FetchAsync(watch!, next, within), cancellationToken));
                    foreach (var one in fetched?.Events ?? [])
                    {
                        // Of the watch as its reader knows it there is one beginning.
                        yield return one.Kind == SessionEventKind.Watching && wasWatching ? one with { Kind = SessionEventKind.MayHaveMissed } : one;
                        wasWatching |= one.Kind == SessionEventKind.Watching;
                    }

                    isOver = fetched is null or { IsOver: true };
                }
            }
            finally
            {
                if (watch is not null)
                {
                    _ = OrNothingAsync(() => doors.WatchesAsync(async door => await door.CloseAsync(watch), CancellationToken.None))
                        .ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                }
            }

            if (watch is not null && wasWatching)
            {
                yield return new SessionEvent { Kind = SessionEventKind.MayHaveMissed, At = wall.GetUtcNow(), UserId = userId };
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    // An outage is waited out, a refusal is not.
    private static async Task<T?> OrNothingAsync<T>(Func<Task<T?>> call)
    {
        try
        {
            return await call();
        }
        catch (GridException outage) when (outage.Reason == GridFailure.Unavailable)
        {
            return default;
        }
    }
}
