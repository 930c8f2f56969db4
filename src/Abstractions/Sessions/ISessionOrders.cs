namespace Grid.Abstractions.Sessions;

/// <summary>Sessions whose handle is given out before they exist. An order leaves a permit in the store; making the session uses it up.</summary>
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

/// <summary>A session that somebody may make later.</summary>
/// <param name="Key">The session's.</param>
/// <param name="UserId">Whose.</param>
/// <param name="ExpiresAt">When the permit ends.</param>
public sealed record SessionOrder(SessionKey Key, string UserId, DateTimeOffset ExpiresAt);
