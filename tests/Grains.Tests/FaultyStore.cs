using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Grains.Tests;

/// <summary>The real store with faults that a test asks for: a write that is lost, one whose answer is lost, one that waits.</summary>
internal sealed class FaultyStore(ISessionStore inner) : ISessionStore
{
    private Func<Func<Task>, Task>? _nextWrite;
    private int _reads;
    private int _updates;

    public int Reads => Volatile.Read(ref _reads);

    public int Updates => Volatile.Read(ref _updates);

    /// <summary>The next write happens, but its caller hears that the store is away.</summary>
    public void LoseNextAnswer() => _nextWrite = async write =>
    {
        await write();
        throw new StoreUnavailableException("The answer was lost (test).");
    };

    /// <summary>The next write does not happen.</summary>
    public void LoseNextWrite() => _nextWrite = _ => throw new StoreUnavailableException("The store was away (test).");

    /// <summary>The next write waits; completing <c>Release</c> lets it go on.</summary>
    public (Task Reached, TaskCompletionSource Release) HoldNextWrite()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _nextWrite = async write =>
        {
            reached.SetResult();
            await release.Task;
            await write();
        };
        return (reached.Task, release);
    }

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return inner.ReadAsync(key, cancellationToken);
    }

    public async ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        var inserted = false;
        await WriteAsync(async () => inserted = await inner.InsertAsync(session, cancellationToken));
        return inserted;
    }

    public async ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken) =>
        await WriteAsync(async () => await inner.OrderAsync(order, cancellationToken));

    public async ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var inserted = false;
        await WriteAsync(async () => inserted = await inner.InsertOrderedAsync(session, now, cancellationToken));
        return inserted;
    }

    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        inner.PurgeOrdersAsync(now, limit, cancellationToken);

    public async ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _updates);
        var updated = false;
        await WriteAsync(async () => updated = await inner.UpdateAsync(session, cancellationToken));
        return updated;
    }

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        inner.ListAsync(app, tenantId, userId, now, cancellationToken);

    public ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken) =>
        inner.ListOfRecipeUserAsync(app, tenantId, recipeUserId, now, cancellationToken);

    public ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => inner.ListAppsAsync(cancellationToken);

    public async ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        RevokedSessions? revoked = null;
        await WriteAsync(async () => revoked = await inner.RevokeAsync(scope, reason, now, cancellationToken));
        return revoked!;
    }

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        inner.PurgeExpiredAsync(now, limit, cancellationToken);

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        inner.PurgeRevocationsAsync(before, limit, cancellationToken);

    public ValueTask PingAsync(CancellationToken cancellationToken) => inner.PingAsync(cancellationToken);

    private Task WriteAsync(Func<Task> write) =>
        Interlocked.Exchange(ref _nextWrite, null) is { } fault ? fault(write) : write();
}
