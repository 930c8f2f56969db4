using System.Collections.Concurrent;
using Grid.Abstractions.Watches;
using Grid.GrainDoors;
using Grid.Revocation;
using Grid.WebFront.Sessions;
using Microsoft.Extensions.Hosting;

namespace Grid.WebFront.GrainDoors;

/// <summary>Watches by Orleans clients of this silo. One whose client does not fetch any more ends, and leaves its place to others.</summary>
internal sealed class ClientWatches(IUserWatches watches, IHostApplicationLifetime host)
{
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private const int MaxAtOnce = 64;
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Open> _open = new(StringComparer.Ordinal);
    private int _isChecking;

    /// <summary>Begins one.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="SessionRefusedException">There are too many.</exception>
    public async Task<string> OpenAsync(WatchedUser user, string? tenantId, string client)
    {
        var (watch, refusal) = await watches.OpenAsync(user, tenantId, client, host.ApplicationStopping);
        if (watch is null)
        {
            throw new SessionRefusedException(refusal!);
        }

        var id = Guid.NewGuid().ToString("N");
        _open[id] = new Open(watch);
        if (Interlocked.Exchange(ref _isChecking, 1) == 0)
        {
            _ = Detached.Run(EndTheSilentAsync);
        }

        return id;
    }

    /// <inheritdoc cref="IWatchDoor.FetchAsync"/>
    public async Task<FetchedEvents> FetchAsync(DoorCall call, string? id, long number, TimeSpan within)
    {
        if (Find(call, id) is not { } open || !open.Begin(number))
        {
            Close(call, id);
            return new FetchedEvents { Events = [], IsOver = true };
        }

        try
        {
            var wait = within < TimeSpan.Zero ? TimeSpan.Zero : within < LongestWait ? within : LongestWait;
            var read = await open.Watch.ReadAsync(MaxAtOnce, wait, host.ApplicationStopping);
            return new FetchedEvents { Events = [.. (read ?? []).Select(notice => notice.ToEvent())], IsOver = read is null };
        }
        catch (OperationCanceledException)
        {
            return new FetchedEvents { Events = [], IsOver = true };
        }
        finally
        {
            open.End();
        }
    }

    /// <summary>Ends one.</summary>
    public void Close(DoorCall call, string? id)
    {
        if (Find(call, id) is { } open && _open.TryRemove(id!, out _))
        {
            open.Watch.Dispose();
        }
    }

    private Open? Find(DoorCall call, string? id) => id is not null && _open.TryGetValue(id, out var open) && open.Watch.App == call.App.App ? open : null;

    // No broken connection tells of a client that has vanished.
    private async Task EndTheSilentAsync()
    {
        using var timer = new PeriodicTimer(CheckEvery, LeaseClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(host.ApplicationStopping))
            {
                foreach (var (id, open) in _open)
                {
                    if (open.Silence > SilenceAllowed && _open.TryRemove(id, out _))
                    {
                        open.Watch.Dispose();
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private sealed class Open(IUserWatch watch)
    {
        private long _fetched;
        private int _isFetching;
        private long _heardAt = LeaseClock.Instance.GetTimestamp();

        public IUserWatch Watch => watch;

        public TimeSpan Silence => LeaseClock.Instance.GetElapsedTime(Interlocked.Read(ref _heardAt));

        /// <returns>False: it comes twice, out of order, or while the one before is answered.</returns>
        public bool Begin(long number)
        {
            Heard();
            return Interlocked.Increment(ref _fetched) == number && Interlocked.Exchange(ref _isFetching, 1) == 0;
        }

        public void End()
        {
            Heard();
            Interlocked.Exchange(ref _isFetching, 0);
        }

        private void Heard() => Interlocked.Exchange(ref _heardAt, LeaseClock.Instance.GetTimestamp());
    }
}
