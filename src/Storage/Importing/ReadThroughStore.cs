using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Storage.Importing;

/// <summary>The store, and behind it the database of the core that Grid replaces: what is asked for and not here is taken in first, once.</summary>
public sealed class ReadThroughStore(ISessionStore inner, OriginalSessions originals, TimeProvider clock) : ISessionStore, IAsyncDisposable
{
    private const int AtOnce = 16;

    /// <inheritdoc/>
    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken) =>
        await inner.ReadAsync(key, cancellationToken) ?? (originals.MayHave(key) ? await TakeInAsync(key, cancellationToken) : null);

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await originals.TakeInAsync(app, userId, now);
        return await inner.ListAsync(app, tenantId, userId, now, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(
        AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await originals.TakeInAsync(app, recipeUserId, now);
        return await inner.ListOfRecipeUserAsync(app, tenantId, recipeUserId, now, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>If the original does not answer, what is known here ends all the same, and the caller is told that not everything is.</remarks>
    public async ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        StoreUnavailableException? unknown = null;
        try
        {
            await TakeInAsync(scope, now);
        }
        catch (StoreUnavailableException failure)
        {
            unknown = failure;
        }

        var revoked = await inner.RevokeAsync(scope, reason, now, cancellationToken);
        if (unknown is not null)
        {
            ExceptionDispatchInfo.Throw(unknown);
        }

        return revoked;
    }

    /// <inheritdoc/>
    public ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken) => inner.InsertAsync(session, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken) => inner.UpdateAsync(session, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => inner.ListAppsAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => inner.PurgeExpiredAsync(now, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => inner.PurgeRevocationsAsync(before, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken) => inner.OrderAsync(order, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken) => inner.InsertOrderedAsync(session, now, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => inner.PurgeOrdersAsync(now, limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);

    /// <summary>Ends the store behind it.</summary>
    public ValueTask DisposeAsync() => inner is IAsyncDisposable store ? store.DisposeAsync() : ValueTask.CompletedTask;

    // Read again whoever took it in: it may have been another silo, a moment ago.
    private async Task<SessionRecord?> TakeInAsync(SessionKey key, CancellationToken cancellationToken)
    {
        await originals.TakeInAsync(key, clock.GetUtcNow());
        return await inner.ReadAsync(key, cancellationToken);
    }

    private async Task TakeInAsync(RevocationScope scope, DateTimeOffset now)
    {
        switch (scope)
        {
            case RevocationScope.User user:
                await originals.TakeInAsync(user.App, user.UserId, now);
                break;
            case RevocationScope.Named named:
                foreach (var some in named.Sessions.Select(handle => new SessionKey(named.App, handle)).Where(originals.MayHave).Chunk(AtOnce))
                {
                    await Task.WhenAll(some.Select(key => ReadAsync(key, CancellationToken.None).AsTask()));
                }

                break;
        }
    }
}
