using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.WebFront.Tests;

/// <summary>The real store, which a test can take away from one app: other tests go on.</summary>
internal sealed class SwitchableStore(ISessionStore inner) : ISessionStore
{
    private readonly ConcurrentDictionary<string, bool> _away = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<Task>> _beforeInsert = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _reads = new(StringComparer.Ordinal);

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

        return await For(session.Key.App).InsertAsync(session, cancellationToken);
    }

    public ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken) => For(order.Key.App).OrderAsync(order, cancellationToken);

    public ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(session.Key.App).InsertOrderedAsync(session, now, cancellationToken);

    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => inner.PurgeOrdersAsync(now, limit, cancellationToken);

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken) => For(session.Key.App).UpdateAsync(session, cancellationToken);

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(app).ListAsync(app, tenantId, userId, now, cancellationToken);

    public ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken) =>
        For(scope.App).RevokeAsync(scope, reason, now, cancellationToken);

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        inner.PurgeExpiredAsync(now, limit, cancellationToken);

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        inner.PurgeRevocationsAsync(before, limit, cancellationToken);

    public ValueTask PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);

    private ISessionStore For(AppKey app) =>
        _away.ContainsKey(app.AppId) ? throw new StoreUnavailableException("The store is away (test).") : inner;
}
