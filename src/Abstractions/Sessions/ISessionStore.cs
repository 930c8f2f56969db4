using System.Collections.Immutable;
using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Sessions;

/// <summary>The truth about sessions. One implementation per database engine; requests that arrive together share a transaction.</summary>
/// <remarks>
/// Every method throws <see cref="StoreUnavailableException"/> if the database did not answer, in which case the outcome of
/// a write is unknown. Inserts only insert; every other write changes a row only if it is there: nothing can resurrect
/// a removed session. The app and the tenant are part of every predicate.
/// </remarks>
public interface ISessionStore : ISessionReader, IRecipeUserSessions, ISessionOrders, IStoreHealth
{
    /// <summary>Adds a session. <see cref="SessionRecord.UserEpoch"/> is set to the user's current epoch in the same transaction.</summary>
    /// <returns>False if the handle is taken or was revoked before; nothing changed then.</returns>
    ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken);

    /// <summary>Replaces chain, payload, data, key kind and expiry, if the row still has version <c>session.Version - 1</c>.</summary>
    /// <returns>False if the row is gone or has another version; nothing changed then.</returns>
    ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken);

    /// <summary>Handles of the user's sessions that have not expired at <paramref name="now"/>, oldest first. A null tenant means all.</summary>
    ValueTask<ImmutableArray<SessionHandle>> ListAsync(AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Every app that has, or once had, a session or an ordered one.</summary>
    ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken);

    /// <summary>Deletes what the scope covers and writes the log entry, in one transaction that also raises the epochs concerned.</summary>
    /// <remarks>
    /// Of <see cref="RevocationScope.Named"/> sessions only those are logged that were there, in this app and this tenant. For one that
    /// is not, the newest entry that the log still holds of that very session is returned, so that the repetition of a revocation whose
    /// answer was lost can be confirmed once more; if there is none, nothing is returned, and nothing written but that a session which
    /// another service made (its handle says so) must not come by an import. What is ended as a whole ends for imports too.
    /// </remarks>
    ValueTask<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Deletes up to <paramref name="limit"/> rows that have expired at <paramref name="now"/>.</summary>
    /// <returns>How many were deleted.</returns>
    ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes up to <paramref name="limit"/> log entries older than <paramref name="before"/>.</summary>
    /// <returns>How many were deleted.</returns>
    ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken);
}

/// <summary>Whether the database answers.</summary>
public interface IStoreHealth
{
    /// <summary>One round trip.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer.</exception>
    ValueTask PingAsync(CancellationToken cancellationToken);
}

/// <summary>Reads sessions from the store. Reads that arrive together share a query.</summary>
public interface ISessionReader
{
    /// <summary>The session's row, expired or not; null if there is none. The caller checks <see cref="SessionRecord.ExpiresAt"/>.</summary>
    ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken);
}
