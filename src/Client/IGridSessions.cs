using Grid.Revocation.Holders;

namespace Grid.Client;

/// <summary>The sessions of one app, as a back end uses them: over the core API by default, in process inside a silo.</summary>
/// <remarks>
/// Register it with <c>services.AddGridClient()</c>, or with <c>AddAuthentication().AddGrid()</c> in ASP.NET Core. Failures are
/// <see cref="GridException"/>s, whose <see cref="GridException.Reason"/> tells what to do.
/// </remarks>
public interface IGridSessions
{
    /// <summary>Creates a session and stores it before returning.</summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken);

    /// <summary>Checks an access token.</summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a session is active: from memory if this process knows it, as <see cref="VerifyAsync"/> decides for a token's session.
    /// </summary>
    /// <returns>
    /// False if it does not exist or has ended. In an app that accepts stale sessions, true while this cannot be determined.
    /// </returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    async ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => await FindAsync(handle, cancellationToken) is not null;

    /// <summary>Exchanges a refresh token for new tokens.</summary>
    /// <exception cref="GridException">
    /// Grid is unavailable or rejects the call, or <see cref="GridFailure.TokenTooLong"/>: the new access token would exceed
    /// <see cref="TokenToRefresh.MaxAccessTokenLength"/>, and the refresh token stays valid.
    /// </exception>
    Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken);

    /// <summary>Replaces the payload and issues an access token that carries it.</summary>
    /// <returns>Null if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken);

    /// <summary>Issues an access token that carries the payload as it is stored, with the presented one's expiry.</summary>
    /// <returns>Null if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken);

    /// <summary>What is stored about an active session; null if there is no such session.</summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken);

    /// <summary>
    /// Handles of a user's active sessions, oldest first; in one tenant, or in all if <paramref name="tenantId"/> is null.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken);

    /// <summary>Replaces the data that only back ends see.</summary>
    /// <returns>False if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces the payload, which the next access token will carry. <c>iss</c> stays as the front made it, <see cref="MergePayloadAsync"/> changes a
    /// part.
    /// </summary>
    /// <returns>False if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken);

    /// <summary>
    /// Merges into the payload, which the next access token will carry: sets members, and removes those that are null. Of several merges at the
    /// same time all take effect. <c>iss</c> stays as the front made it.
    /// </summary>
    /// <returns>The payload as stored now; null if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call: a member is reserved for Grid, such as <c>sub</c>, or the payload
    /// would be too large.</exception>
    Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken);

    /// <summary>Revokes one session. When this returns, it is refused everywhere.</summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    Task<GridRevocation> RevokeAsync(string handle, CancellationToken cancellationToken) => RevokeAsync(handle, GridRevocationReason.Requested, cancellationToken);

    /// <summary>As <see cref="RevokeAsync(string, CancellationToken)"/>, with the reason to record in the log and the store.</summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes several sessions, with one wait for all of them. When this returns, they are refused everywhere. What names no session is
    /// left out.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken);

    /// <summary>Revokes all sessions of a tenant, without listing them. When this returns, they are refused everywhere.</summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken);

    /// <summary>Revokes all sessions of a user. When this returns, they are refused everywhere.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="tenantId">The tenant; null for all tenants.</param>
    /// <param name="exceptHandle">A session to keep, usually the caller's own; null for none.</param>
    /// <param name="cancellationToken">Stops waiting; the revocation itself is not undone.</param>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken);

    /// <summary>Watches for the end of a session. Dispose of the watch when it is no longer needed.</summary>
    /// <exception cref="ArgumentException"><paramref name="handle"/> is not a session handle.</exception>
    SessionWatch Watch(string handle);

    /// <summary>
    /// Signs a JWT with the app's published keys, for one service to show to another. It is no session's access token, whatever it says.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken);

    /// <summary>
    /// What happens to a user's sessions, from <see cref="SessionEventKind.Watching"/> on: created, refreshed, changed, ended. For support
    /// tools and services; nothing waits for whoever watches, and checks of tokens do not depend on it.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="tenantId">The tenant; null for all tenants.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// Events without end. It outlives whatever serves it: while Grid cannot be reached it waits and connects again, and where something may
    /// have been lost there is a <see cref="SessionEventKind.MayHaveMissed"/>. Events of one session come in order, its end last; read them
    /// as they come, since only the next 256 are kept.
    /// </returns>
    /// <exception cref="GridException">
    /// <see cref="GridFailure.Refused"/>, also later on: the key or the tenant is wrong or was taken away, or there are too many watches; the
    /// message says what to fix.
    /// </exception>
    IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, CancellationToken cancellationToken) =>
        throw new GridException(GridFailure.Refused, "These sessions cannot watch a user.");

    /// <summary>The public signing keys, as a JWKS document.</summary>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken);
}
