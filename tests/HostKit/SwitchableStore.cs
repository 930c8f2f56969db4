using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.HostKit;

/// <summary>The real store, which a test can take away from one app: other tests go on.</summary>
internal sealed class SwitchableStore(ISessionStore inner) : ISessionStore
{
    /// <summary>A user id that this store refuses for its value, as PostgreSQL refuses what no index holds.</summary>
    public const string RefusedUserId = "too-long-for-an-index";

    private readonly ConcurrentDictionary<string, bool> _away = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<Task>> _beforeInsert = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(RevocationScope Scope, RevocationReason Reason)> _revocations = new();
    private readonly ConcurrentDictionary<string, bool> _awayAfterRevocation = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _reads = new(StringComparer.Ordinal);

    /// <summary>What was asked to be revoked in an app, and why.</summary>
    public IReadOnlyList<(RevocationScope Scope, RevocationReason Reason)> Revocations(string appId) =>
        [.. _revocations.Where(revoked => revoked.Scope.App.AppId == appId)];

    /// <summary>The app's store goes away by itself as soon as something is revoked in it.</summary>
    public void TakeAwayAfterRevocation(string appId) => _awayAfterRevocation[appId] = true;

    public void TakeAway(string appId) => _away[appId] = true;

    public void GiveBack(string appId) => _away.TryRemove(appId, out _);

    /// <summary>Runs before the next insert into an app.</summary>
    public void BeforeInsert(string appId, Func<Task> work) => _beforeInsert[appId] = work;

    public int Reads(string appId) => _reads.GetValueOrDefault(appId);

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        _reads.AddOrUpdate(key.App.AppId, 1, static (_, reads) => reads + 1);
        return For(key.App).ReadAsync(key, cancellationToken);
    }

    public async ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        if (_beforeInsert.TryRemove(session.Key.App.AppId, out var work))
        {
            await work();
        }

        return session.UserId == RefusedUserId
            ? throw new UnstorableValueException("A value of this request cannot be stored.")
            : await For(session.Key.App).InsertAsync(session, cancellationToken);
    }

    public ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken) => For(order.Key.App).OrderAsync(order, cancellationToken);

    public ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(session.Key.App).InsertOrderedAsync(session, now, cancellationToken);

    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => inner.PurgeOrdersAsync(now, limit, cancellationToken);

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken) => For(session.Key.App).UpdateAsync(session, cancellationToken);

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(app).ListAsync(app, tenantId, userId, now, cancellationToken);

    public ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(app).ListOfRecipeUserAsync(app, tenantId, recipeUserId, now, cancellationToken);

    public ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => inner.ListAppsAsync(cancellationToken);

    public async ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        _revocations.Enqueue((scope, reason));
        var revoked = await For(scope.App).RevokeAsync(scope, reason, now, cancellationToken);
        if (_awayAfterRevocation.TryRemove(scope.App.AppId, out _))
        {
            TakeAway(scope.App.AppId);
        }

        return revoked;
    }

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        inner.PurgeExpiredAsync(now, limit, cancellationToken);

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        inner.PurgeRevocationsAsync(before, limit, cancellationToken);

    public ValueTask PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);

    private ISessionStore For(AppKey app) =>
        _away.ContainsKey(app.AppId) ? throw new StoreUnavailableException("The store is away (test).") : inner;
}
