using System.Collections.Immutable;
using System.Threading.Channels;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Revocation;
using Grid.Revocation.Log;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Watches;

/// <inheritdoc cref="IUserWatches"/>
/// <remarks>
/// What is created, refreshed and changed it reads from every silo, as long as somebody watches; what ends it sees in the log, as every holder does, and
/// in the store. All of it happens aside: nobody who writes a session or confirms a revocation waits for it. Why so: docs/decisions/0021.
/// Longer than most files: what starts a watch, feeds it and ends it is read in one place.
/// </remarks>
internal sealed partial class UserWatches : IUserWatches, SiloReader.IOwner, IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);
    private const int AtOnce = 32;

    private readonly Lock _lock = new();
    private readonly ISiloLinks _links;
    private readonly ISessionStore _store;
    private readonly TrustedClock _wall;
    private readonly TimeProvider _time;
    private readonly TimeProvider _clock;
    private readonly WatchLimits _limits;
    private readonly ILogger<UserWatches> _logger;
    private readonly WatchedSessions _sessions;
    private readonly Dictionary<SiloAddress, (SiloReader Reader, Task Running)> _readers = [];
    private readonly Dictionary<AppKey, int> _ofApp = [];
    private readonly Dictionary<string, int> _ofClient = [];
    private readonly HashSet<SiloAddress> _away = [];
    private readonly Channel<IReadOnlyList<RevocationEntry>> _entries = Channel.CreateBounded<IReadOnlyList<RevocationEntry>>(new BoundedChannelOptions(4_096) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _covers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _begins = new(0);
    private readonly SemaphoreSlim _work = new(0);
    private Task? _running;
    private long _version;
    private volatile int _count;
    private int _entriesAreLost;
    private int _isDisposed;
    private bool _isOver;

    public UserWatches(ISiloLinks links, ISessionStore store, TrustedClock wall, TimeProvider time, WatchLimits limits, TimeProvider clock, ILogger<UserWatches> logger)
    {
        (_links, _store, _wall, _time, _limits, _clock, _logger) = (links, store, wall, time, limits, clock, logger);
        _sessions = new WatchedSessions(limits, clock);
    }

    /// <summary>How many watches there are.</summary>
    public int Count => _count;

    public async Task<(IUserWatch? Watch, string? Refusal)> OpenAsync(WatchedUser user, string? tenantId, string client, CancellationToken cancellationToken)
    {
        UserWatch watch;
        WatchedSessions.Watched watched;
        long version;
        lock (_lock)
        {
            if (Refusal(user, client) is { } refusal)
            {
                return (null, refusal);
            }

            watch = new UserWatch(user, tenantId, client, _limits.Unread, _time, _clock, Leave);
            Occupy(watch, 1);
            if (_sessions.Find(user) is { } other)
            {
                watched = other;
            }
            else
            {
                watched = _sessions.Add(user);
                Changed(user, isAdded: true);
            }

            watched.Watches.Add(watch);
            version = _version;
            if (_running is null && _isDisposed == 0)
            {
                _running = Detached.Run(() => RunAsync(_stop.Token));
            }

            if (_readers.Count == 0 && _isDisposed == 0 && _begins.CurrentCount == 0)
            {
                _begins.Release();
            }
        }

        try
        {
            if (_isDisposed != 0)
            {
                throw new StoreUnavailableException("The silo stops.");
            }

            await CoveredAsync(version, cancellationToken);
            if (!IsListed(watched))
            {
                await ListAsync(watched, cancellationToken);
            }

            lock (_lock)
            {
                watch.Start();
            }

            return (watch, null);
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>Entries that this silo's holder applied. Returns at once.</summary>
    public void Applied(IReadOnlyList<RevocationEntry> entries)
    {
        if (_count > 0 && !_entries.Writer.TryWrite(entries))
        {
            Volatile.Write(ref _entriesAreLost, 1);
        }
    }

    /// <summary>This silo's holder began anew: between its end and this there may have been entries that it never saw.</summary>
    public void LogBegan()
    {
        if (_count > 0)
        {
            Volatile.Write(ref _entriesAreLost, 1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // By the container twice, since it has two names for it.
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync();
        Task? running;
        lock (_lock)
        {
            running = _running;
            foreach (var watch in _sessions.Users.ToList().SelectMany(user => _sessions.Find(user)!.Watches))
            {
                watch.End();
            }
        }

        await (running ?? Task.CompletedTask);
        lock (_lock)
        {
            _isOver = true;
            _stop.Dispose();
            _begins.Dispose();
            _work.Dispose();
        }
    }

    (ImmutableArray<WatchedUser> Users, long Version) SiloReader.IOwner.Begin(SiloReader reader)
    {
        lock (_lock)
        {
            reader.Begin(_version);
            return ([.. _sessions.Users], _version);
        }
    }

    void SiloReader.IOwner.Opened(SiloReader reader)
    {
        lock (_lock)
        {
            _sessions.MissAll();
            if (_away.Remove(reader.Silo))
            {
                Log.Back(_logger, reader.Silo.ToString());
            }
        }
    }

    void SiloReader.IOwner.Take(FetchedNotices fetched)
    {
        lock (_lock)
        {
            foreach (var notice in fetched.Notices)
            {
                _sessions.Take(notice);
            }

            if (fetched.AreLost)
            {
                _sessions.MissAll();
            }
        }

        Wake();
    }

    void SiloReader.IOwner.Lost(SiloReader reader, Exception? failure)
    {
        lock (_lock)
        {
            _sessions.MissAll();
            if (_away.Add(reader.Silo))
            {
                Log.Away(_logger, failure, reader.Silo.ToString());
            }
        }
    }

    void SiloReader.IOwner.Covers(SiloReader reader)
    {
        lock (_lock)
        {
            _covers.TrySetResult();
            _covers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private string? Refusal(WatchedUser user, string client) =>
        _count >= _limits.Watches ? $"This silo serves {_limits.Watches} watches already: end some, or watch at another silo"
        : _ofApp.GetValueOrDefault(user.App) >= _limits.OfApp ? $"The app '{user.App}' has {_limits.OfApp} watches in this silo already: end some"
        : _ofClient.GetValueOrDefault(client) >= _limits.OfClient ? $"This client has {_limits.OfClient} watches already: end some"
        : null;

    // Under the lock.
    private void Occupy(UserWatch watch, int one)
    {
        _count += one;
        if ((_ofApp[watch.App] = _ofApp.GetValueOrDefault(watch.App) + one) == 0)
        {
            _ofApp.Remove(watch.App);
        }

        if ((_ofClient[watch.Client] = _ofClient.GetValueOrDefault(watch.Client) + one) == 0)
        {
            _ofClient.Remove(watch.Client);
        }
    }

    private void Leave(UserWatch watch)
    {
        lock (_lock)
        {
            if (_sessions.Find(watch.User) is not { } watched || !watched.Watches.Remove(watch))
            {
                return;
            }

            Occupy(watch, -1);
            if (watched.Watches.Count == 0)
            {
                _sessions.Remove(watched);
                Changed(watch.User, isAdded: false);
            }
        }
    }

    // Under the lock.
    private void Changed(WatchedUser user, bool isAdded)
    {
        _version++;
        foreach (var (reader, _) in _readers.Values)
        {
            reader.Change(user, isAdded, _version);
        }
    }

    private bool IsListed(WatchedSessions.Watched watched)
    {
        lock (_lock)
        {
            return watched.IsListed;
        }
    }

    private async Task CoveredAsync(long version, CancellationToken cancellationToken)
    {
        var others = Task.Delay(_limits.StartsWithin, _clock, cancellationToken);
        while (true)
        {
            Task next;
            lock (_lock)
            {
                var waitsFor = _readers.Values.Where(reader => reader.Reader.Covered < version).ToList();
                if (_readers.Count > 0 && (waitsFor.Count == 0 || (others.IsCompleted && !waitsFor.Exists(reader => _links.IsHere(reader.Reader.Silo)))))
                {
                    return;
                }

                next = _covers.Task;
            }

            await (others.IsCompleted ? next.WaitAsync(_stop.Token) : Task.WhenAny(next, others));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task ListAsync(WatchedSessions.Watched watched, CancellationToken cancellationToken)
    {
        var handles = await _store.ListAsync(watched.User.App, null, watched.User.UserId, _wall.GetUtcNow(), cancellationToken);
        lock (_lock)
        {
            // A user whom somebody else has begun to watch since is another.
            if (_sessions.Find(watched.User) == watched)
            {
                _sessions.Take(watched, handles);
            }
        }

        Wake();
    }

    // What runs ends with the silo.
    private Task RunAsync(CancellationToken stop) => Task.WhenAll(FollowSilosAsync(stop), ReadEntriesAsync(stop), ReadStoreAsync(stop));

    private async Task FollowSilosAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                FollowSilos();
            }
            catch (Exception failure)
            {
                Log.Failed(_logger, failure);
            }

            await ((Task)_begins.WaitAsync(Tick, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        List<Task> running;
        lock (_lock)
        {
            running = [.. _readers.Values.Select(reader => reader.Running)];
            _readers.Values.ToList().ForEach(reader => StopReader(reader.Reader.Silo));
        }

        await Task.WhenAll(running);
    }

    private void FollowSilos()
    {
        lock (_lock)
        {
            var silos = _sessions.Users.Any() ? _links.Silos : [];
            foreach (var gone in _readers.Keys.Except(silos).ToList())
            {
                // What it did last may not have been read.
                StopReader(gone);
                _sessions.MissAll();
                _away.Remove(gone);
            }

            foreach (var come in silos.Where(silo => !_readers.ContainsKey(silo)))
            {
                var reader = new SiloReader(come, _links, this, _limits, _clock);
                _readers.Add(come, (reader, Task.Run(reader.RunAsync, CancellationToken.None)));
            }
        }
    }

    private void StopReader(SiloAddress silo)
    {
        if (_readers.Remove(silo, out var removed))
        {
            removed.Reader.Stop();
            _ = removed.Running.ContinueWith(_ => removed.Reader.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task ReadEntriesAsync(CancellationToken stop)
    {
        try
        {
            while (await _entries.Reader.WaitToReadAsync(stop))
            {
                lock (_lock)
                {
                    while (_entries.Reader.TryRead(out var entries))
                    {
                        foreach (var entry in entries)
                        {
                            _sessions.Take(entry);
                        }
                    }
                }

                Wake();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task ReadStoreAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (Interlocked.Exchange(ref _entriesAreLost, 0) != 0)
                {
                    lock (_lock)
                    {
                        _sessions.MissAll();
                    }
                }

                await Task.WhenAll(NextToList().Select(watched => ListAgainAsync(watched, stop)));
                if (await LookAsync(stop))
                {
                    continue;
                }
            }
            catch (StoreUnavailableException)
            {
                // The clock is not trusted: nothing expires meanwhile.
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                Log.Failed(_logger, failure);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await ((Task)_work.WaitAsync(Tick, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private List<WatchedSessions.Watched> NextToList()
    {
        lock (_lock)
        {
            List<WatchedSessions.Watched> next = [.. _sessions.Users.Select(user => _sessions.Find(user)!).Where(watched => watched is { IsListed: true, IsToBeListed: true }).Take(AtOnce)];
            next.ForEach(watched => watched.IsToBeListed = false);
            return next;
        }
    }

    private async Task ListAgainAsync(WatchedSessions.Watched watched, CancellationToken stop)
    {
        try
        {
            await ListAsync(watched, stop);
        }
        catch (StoreUnavailableException)
        {
            lock (_lock)
            {
                watched.IsToBeListed = true;
            }
        }
    }

    /// <returns>Whether there was anything to look at.</returns>
    private async Task<bool> LookAsync(CancellationToken stop)
    {
        List<(WatchedSessions.Known Session, int Suspicions)> next;
        lock (_lock)
        {
            next = _sessions.NextToLookAt(AtOnce, _wall.GetUtcNow());
        }

        await Task.WhenAll(next.Select(look => LookAsync(look.Session, look.Suspicions, stop)));
        return next.Count > 0;
    }

    private async Task LookAsync(WatchedSessions.Known session, int suspicions, CancellationToken stop)
    {
        try
        {
            var row = await _store.ReadAsync(new SessionKey(session.Of.User.App, session.Handle), stop);
            lock (_lock)
            {
                _sessions.Looked(session, suspicions, row, _wall.GetUtcNow());
            }
        }
        catch (StoreUnavailableException)
        {
            lock (_lock)
            {
                _sessions.NotLooked(session);
            }
        }
    }

    private void Wake()
    {
        lock (_lock)
        {
            if (!_isOver && _work.CurrentCount == 0)
            {
                _work.Release();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2900, LogLevel.Information, "Silo {Silo} does not tell what happens to sessions; watches are told that they may have missed something. Retrying")]
        public static partial void Away(ILogger logger, Exception? failure, string silo);

        [LoggerMessage(2901, LogLevel.Information, "Silo {Silo} tells again what happens to sessions")]
        public static partial void Back(ILogger logger, string silo);

        [LoggerMessage(2902, LogLevel.Error, "Watches of users met an unexpected failure; retrying")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
