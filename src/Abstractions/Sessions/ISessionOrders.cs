namespace Grid.Abstractions.Sessions;

/// <summary>Sessions whose handles are issued before they exist. An order leaves a permit in the store, which creating the session uses up.</summary>
/// <remarks>
/// The permit, not the session's row, is what makes an order single-use: the row may be revoked, expired and purged, and its handle
/// must still never come back (docs/decisions/0009). Every method throws <see cref="StoreUnavailableException"/> if the outcome is unknown.
/// </remarks>
public interface ISessionOrders
{
    /// <summary>Stores a permit with the user's current epoch.</summary>
    ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken);

    /// <summary>Uses the permit up and adds its session, in one transaction.</summary>
    /// <param name="session">Its key and user are those of the order.</param>
    /// <param name="now">Permits that ended before do not count.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <returns>False if there is no permit, or it is void: used, revoked, expired, or ordered before a revocation of its user, tenant or app.</returns>
    ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Deletes up to <paramref name="limit"/> permits that have expired at <paramref name="now"/>.</summary>
    /// <returns>How many were deleted.</returns>
    ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken);
}

/// <summary>A session that may be created later.</summary>
/// <param name="Key">The session's key.</param>
/// <param name="UserId">The session's user.</param>
/// <param name="ExpiresAt">Expiry of the permit.</param>
public sealed record SessionOrder(SessionKey Key, string UserId, DateTimeOffset ExpiresAt);
