using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Grid.Revocation.Relay;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Limits what the services of one app can use of this process, so that enough is left for other apps: unregistered connections, registrations, look-ups.</summary>
internal sealed class ServiceDoor(HolderRelay relay) : IDisposable
{
    /// <summary>Registrations per app and second, after a burst of as many as the app may have services: after a restart all of them reconnect at once.</summary>
    public const int RegistrationsPerSecond = 5;

    /// <summary>Look-ups per app and second, after a burst of <see cref="LooksAtOnce"/>; further ones wait.</summary>
    public const int LooksPerSecond = 2_000;

    /// <summary>Look-ups of one app that are not paced: a service that reconnects looks up the session of each of its users.</summary>
    public const int LooksAtOnce = 20_000;

    // A store answers hundreds at once; a queue of thousands is what all apps share.
    private const int LooksPerApp = 512;

    // The store's connections are for sessions.
    private readonly SemaphoreSlim _registering = new(4);

    private readonly ConcurrentDictionary<string, Share> _shares = new(StringComparer.Ordinal);
    private readonly PartitionedRateLimiter<string> _registrations = PartitionedRateLimiter.Create<string, string>(app => RateLimitPartition.GetTokenBucketLimiter(
        app, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = Math.Max(RegistrationsPerSecond, relay.Limits.PerApp),
            TokensPerPeriod = RegistrationsPerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        }));

    private readonly PartitionedRateLimiter<string> _looks = PartitionedRateLimiter.Create<string, string>(app => RateLimitPartition.GetTokenBucketLimiter(
        app, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = LooksAtOnce,
            TokensPerPeriod = LooksPerSecond / 10,
            ReplenishmentPeriod = TimeSpan.FromMilliseconds(100),

            // At most one per connection waits.
            QueueLimit = int.MaxValue,
        }));

    private int _waiting;

    /// <summary>Reserves a place for a connection that is not registered yet.</summary>
    /// <returns>The place, to be disposed when the connection is registered or closed; null if none is left, with the reason.</returns>
    public (IDisposable? Place, string? Refusal) Enter(string app)
    {
        if (relay.IsFull)
        {
            return (null, FullText);
        }

        if (Interlocked.Increment(ref _waiting) > relay.Limits.Capacity)
        {
            Interlocked.Decrement(ref _waiting);
            return (null, $"as many connections wait for their registration as Grid:Revocation:MaxServices allows services ({relay.Limits.Capacity}) on one silo");
        }

        var share = ShareOf(app);
        if (Interlocked.Increment(ref share.Waiting) > relay.Limits.PerApp)
        {
            Leave(share);
            return (null, $"as many connections of this app wait for their registration as Grid:Revocation:MaxServicesPerApp allows services ({relay.Limits.PerApp})");
        }

        return (new Place(() => Leave(share)), null);
    }

    /// <summary>Why a registration that exceeds its app's rate is refused; null if it may proceed.</summary>
    public string? RefuseTooMany(string app) => _registrations.AttemptAcquire(app).IsAcquired
        ? null
        : $"more than {RegistrationsPerSecond} registrations a second of one app: try again later";

    /// <summary>Runs a registration; only a few run at a time.</summary>
    public async Task<T> InTurnAsync<T>(Func<Task<T>> registration, CancellationToken cancellationToken)
    {
        await _registering.WaitAsync(cancellationToken);
        try
        {
            return await registration();
        }
        finally
        {
            _registering.Release();
        }
    }

    /// <summary>Limits the concurrent look-ups of an app's services.</summary>
    public SemaphoreSlim LooksOf(string app) => ShareOf(app).Looks;

    /// <summary>Waits until the app's rate allows another look-up.</summary>
    public async Task PaceLookAsync(string app, CancellationToken cancellationToken)
    {
        using var turn = await _looks.AcquireAsync(app, 1, cancellationToken);
    }

    public string FullText => $"as many services are connected as Grid:Revocation:MaxServices allows on one silo ({relay.Limits.Capacity})";

    public string TooManyOfAppText => $"as many services of this app are registered, or have vanished a moment ago, as Grid:Revocation:MaxServicesPerApp allows ({relay.Limits.PerApp})";

    public void Dispose()
    {
        _registrations.Dispose();
        _looks.Dispose();
        _registering.Dispose();
        foreach (var share in _shares.Values)
        {
            share.Looks.Dispose();
        }
    }

    // One per app with API keys in use.
    private Share ShareOf(string app) => _shares.GetOrAdd(app, static _ => new Share());

    private void Leave(Share share)
    {
        Interlocked.Decrement(ref share.Waiting);
        Interlocked.Decrement(ref _waiting);
    }

    private sealed class Share
    {
        public int Waiting;

        public SemaphoreSlim Looks { get; } = new(LooksPerApp);
    }

    private sealed class Place(Action leave) : IDisposable
    {
        private Action? _leave = leave;

        public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
    }
}
