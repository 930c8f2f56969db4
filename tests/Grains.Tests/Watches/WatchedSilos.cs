using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Grains.Watches;
using Grid.Revocation;
using Grid.Revocation.Log;
using Grid.TestKit;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grid.Grains.Tests.Watches;

/// <summary>Some silos' session grains and one silo's watches, without Orleans, over a store in memory. Links break as a test says.</summary>
internal sealed class WatchedSilos : ISiloLinks, ISessionStore, IAsyncDisposable
{
    private readonly ConcurrentDictionary<SessionKey, SessionRecord> _rows = new();
    private readonly ConcurrentDictionary<SiloAddress, Notices> _silos = new();
    private readonly ConcurrentDictionary<SiloAddress, Func<Exception?>> _faults = new();
    private readonly WatchLimits _limits;
    private long _positions;

    public WatchedSilos(int silos, WatchLimits? limits = null)
    {
        _limits = limits ?? Patient;
        for (var silo = 0; silo < silos; silo++)
        {
            Join();
        }

        Watches = new UserWatches(this, this, new TrustedClock(Wall, new ClockTrust(Wall, Wall)), Wall, _limits, LeaseClock.Instance, NullLogger<UserWatches>.Instance);
    }

    /// <summary>On a busy machine nothing is taken for broken that is slow.</summary>
    public static WatchLimits Patient { get; } = new() { LinkSilence = TimeSpan.FromMinutes(1), StartsWithin = TimeSpan.FromMinutes(1) };

    public SkippingTime Wall { get; } = new();

    public UserWatches Watches { get; }

    public bool IsAway { get; set; }

    public IReadOnlyCollection<SiloAddress> Silos => [.. _silos.Keys];

    public Notices Notices(int silo) => _silos[Address(silo)];

    public void Join() => _silos[Address(_silos.Count)] = new Notices(_limits, Wall, LeaseClock.Instance);

    /// <summary>It has died, and the others know.</summary>
    public void Leave(int silo) => _silos.TryRemove(Address(silo), out _);

    /// <summary>A silo's calls fail in this way, until told otherwise (null).</summary>
    public void Break(int silo, Func<Exception?>? fault) => _faults[Address(silo)] = fault ?? (() => null);

    public async Task<IUserWatch> WatchAsync(string user, string? tenant = null, string client = "c")
    {
        var (watch, refusal) = await Watches.OpenAsync(new WatchedUser(AppKey.Public, user), tenant, client, CancellationToken.None);
        return watch ?? throw new InvalidOperationException(refusal);
    }

    public SessionRecord Create(int silo, string user, string tenant = "public", TimeSpan? life = null, bool tells = true)
    {
        var now = Wall.GetUtcNow();
        var row = new SessionRecord
        {
            Key = new SessionKey(AppKey.Public, SessionHandle.Create(tenant, now)),
            UserId = user,
            Chain = new RefreshChain(TokenHash.Of(Guid.NewGuid().ToString())),
            PayloadJson = "{}",
            DataJson = "{}",
            UseDynamicKey = true,
            CreatedAt = now,
            ExpiresAt = now + (life ?? TimeSpan.FromDays(100)),
        };
        _rows[row.Key] = row;
        if (tells)
        {
            Notices(silo).Created(row);
        }

        return row;
    }

    public SessionRecord Write(int silo, SessionRecord row, Func<SessionRecord, SessionRecord> change, bool tells = true)
    {
        var next = change(row);
        _rows[row.Key] = next;
        if (tells)
        {
            Notices(silo).Written(row, next);
        }

        return next;
    }

    /// <summary>A revocation as the store and the log have it, and this silo's holder hears of it.</summary>
    public RevocationEntry Revoke(RevocationKind kind, SessionRecord like, RevocationReason reason = RevocationReason.Requested, bool isHeard = true, SessionRecord? kept = null)
    {
        var entry = new RevocationEntry
        {
            Position = ++_positions,
            Kind = kind,
            App = like.Key.App.ToString(),
            Tenant = like.Key.Handle.TenantId,
            Session = kind == RevocationKind.Session ? like.Key.Name : null,
            UserId = kind == RevocationKind.User ? like.UserId : null,
            Kept = kept?.Key.Name,
            Reason = (int)reason,
            At = Wall.GetUtcNow(),
        };
        foreach (var row in _rows.Values.Where(row => row != kept && kind switch
        {
            RevocationKind.Session => row.Key == like.Key,
            RevocationKind.User => row.UserId == like.UserId && row.Key.Handle.TenantId == like.Key.Handle.TenantId,
            RevocationKind.Tenant => row.Key.Handle.TenantId == like.Key.Handle.TenantId,
            _ => true,
        }))
        {
            _rows.TryRemove(row.Key, out _);
        }

        if (isHeard)
        {
            Watches.Applied([entry]);
        }

        return entry;
    }

    public bool IsHere(SiloAddress silo) => silo.Equals(Address(0));

    public Task OpenAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> users) => AtAsync(silo, notices =>
    {
        notices.Open(link, users);
        return Task.FromResult(true);
    });

    public Task<bool> ChangeAsync(SiloAddress silo, string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed) =>
        AtAsync(silo, notices => Task.FromResult(notices.Change(link, added, removed)));

    public Task<FetchedNotices?> FetchAsync(SiloAddress silo, string link, long number) => AtAsync(silo, async notices =>
    {
        var fetched = await notices.FetchAsync(link, number);
        Fail(silo);
        return fetched;
    });

    public Task CloseAsync(SiloAddress silo, string link) => AtAsync(silo, notices =>
    {
        notices.Close(link);
        return Task.FromResult(true);
    });

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken) =>
        IsAway ? throw new StoreUnavailableException("It is away (test).") : ValueTask.FromResult(_rows.GetValueOrDefault(key));

    public ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) => IsAway
        ? throw new StoreUnavailableException("It is away (test).")
        : ValueTask.FromResult<ImmutableArray<SessionHandle>>([.. _rows.Values.Where(row => row.UserId == userId && row.ExpiresAt > now).OrderBy(row => row.CreatedAt).Select(row => row.Key.Handle)]);

    public ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask PingAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => Watches.DisposeAsync();

    private static SiloAddress Address(int silo) => SiloAddress.New(IPAddress.Loopback, 1_000 + silo, 1);

    private async Task<T> AtAsync<T>(SiloAddress silo, Func<Notices, Task<T>> call)
    {
        await Task.Yield();
        Fail(silo);
        return _silos.TryGetValue(silo, out var notices) ? await call(notices) : throw new TimeoutException("There is no such silo (test).");
    }

    private void Fail(SiloAddress silo)
    {
        if (_faults.GetValueOrDefault(silo)?.Invoke() is { } failure)
        {
            throw failure;
        }
    }
}
