using System.Collections.Immutable;
using Grid.Abstractions.Watches;

namespace Grid.Grains.Watches;

/// <summary>Reads the notices of one silo, from when the first watch begins until the silo has left or nobody watches any more.</summary>
internal sealed class SiloReader(SiloAddress silo, ISiloLinks links, SiloReader.IOwner owner, WatchLimits limits, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // Between this silo and itself nothing is lost.
    private readonly TimeSpan _silenceAllowed = links.IsHere(silo) ? Timeout.InfiniteTimeSpan : limits.LinkSilence;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Lock _lock = new();
    private readonly List<(WatchedUser User, bool IsAdded)> _changes = [];
    private long _version;

    /// <summary>What the reader does for.</summary>
    internal interface IOwner
    {
        /// <summary>Whom to watch, and the number of the latest change of that. Changes later than that are handed to <see cref="Change"/>.</summary>
        (ImmutableArray<WatchedUser> Users, long Version) Begin(SiloReader reader);

        /// <summary>From here on nothing of this silo is missed. Before, something may have been.</summary>
        void Opened(SiloReader reader);

        /// <summary>What the silo's grains did, in its order.</summary>
        void Take(FetchedNotices fetched);

        /// <summary>From here on things of this silo are missed.</summary>
        void Lost(SiloReader reader, Exception? failure);

        /// <summary>Something that waits for <see cref="Covered"/> may go on.</summary>
        void Covers(SiloReader reader);
    }

    public SiloAddress Silo => silo;

    /// <summary>Up to which change of those watched the silo knows; -1: it is not connected.</summary>
    public long Covered { get; private set; } = -1;

    public async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var link = Guid.NewGuid().ToString("N");
            Exception? failure = null;
            try
            {
                var (users, version) = owner.Begin(this);
                await links.OpenAsync(silo, link, users).WaitAsync(_silenceAllowed, clock, _stop.Token);
                Covered = version;
                owner.Opened(this);
                owner.Covers(this);
                using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var changing = ChangeAsync(link, over.Token);
                try
                {
                    await FetchAsync(link, changing, over.Token);
                }
                finally
                {
                    await over.CancelAsync();
                    await changing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
            catch (Exception cause)
            {
                failure = cause;
            }

            Covered = -1;
            _ = links.CloseAsync(silo, link).ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            owner.Lost(this, failure);
            await Task.Delay(Pause, clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Somebody is watched from now on, or no longer. Under the owner's lock.</summary>
    public void Change(WatchedUser user, bool isAdded, long version)
    {
        lock (_lock)
        {
            _changes.Add((user, isAdded));
            _version = version;
        }

        _changed.Release();
    }

    /// <summary>What was changed before is part of what the link begins with. Under the owner's lock.</summary>
    public void Begin(long version)
    {
        lock (_lock)
        {
            _changes.Clear();
            _version = version;
        }
    }

    public void Stop() => _stop.Cancel();

    public void Dispose()
    {
        _stop.Dispose();
        _changed.Dispose();
    }

    private async Task FetchAsync(string link, Task changing, CancellationToken over)
    {
        for (var number = 1L; ; number++)
        {
            var fetching = links.FetchAsync(silo, link, number).WaitAsync(_silenceAllowed, clock, over);
            if (await Task.WhenAny(fetching, changing) == changing && !fetching.IsCompleted)
            {
                // It has failed: it does not end otherwise.
                _ = fetching.ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                await changing;
            }

            owner.Take(await fetching ?? throw new IOException("The link is over."));
        }
    }

    private async Task ChangeAsync(string link, CancellationToken over)
    {
        while (true)
        {
            await _changed.WaitAsync(over);
            List<(WatchedUser User, bool IsAdded)> changes;
            long version;
            lock (_lock)
            {
                changes = [.. _changes];
                _changes.Clear();
                version = _version;
            }

            if (changes.Count == 0)
            {
                continue;
            }

            // The last word about each counts.
            var last = changes.GroupBy(change => change.User).Select(each => each.Last()).ToLookup(change => change.IsAdded, change => change.User);
            if (!await links.ChangeAsync(silo, link, [.. last[true]], [.. last[false]]).WaitAsync(_silenceAllowed, clock, over))
            {
                throw new IOException("The link is over.");
            }

            Covered = version;
            owner.Covers(this);
        }
    }
}
