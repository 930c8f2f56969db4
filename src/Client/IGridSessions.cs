using Grid.Revocation.Holders;

namespace Grid.Client;

/// <summary>Sessions of one app: what a back end can do with them. Over the core API by default; in the silo's own process without HTTP.</summary>
/// <remarks>
/// Register it by <c>services.AddGridClient()</c>, or by <c>AddAuthentication().AddGrid()</c> in ASP.NET Core. What fails is a
/// <see cref="GridException"/>, whose <see cref="GridException.Reason"/> says what to do.
/// </remarks>
public interface IGridSessions
{
    /// <summary>Creates a session. It is stored before this returns.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken);

    /// <summary>Checks an access token.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken);

    /// <summary>Whether a session is active: from memory where this process knows it, as <see cref="VerifyAsync"/> sees it of a token's session.</summary>
    /// <returns>False if there is none or it has ended. In an app whose stale sessions are accepted it is true while nobody can say.</returns>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    async ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => await FindAsync(handle, cancellationToken) is not null;

    /// <summary>Exchanges a refresh token.</summary>
    /// <exception cref="GridException">
    /// Grid does not answer or refuses, or <see cref="GridFailure.TokenTooLong"/>: the new access token would exceed
    /// <see cref="TokenToRefresh.MaxAccessTokenLength"/>, and the refresh token stays good.
    /// </exception>
    Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken);

    /// <summary>Stores a new payload and makes an access token that carries it.</summary>
    /// <returns>Null if there is no such session.</returns>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken);

    /// <summary>What is stored of a living session; null if there is none.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken);

    /// <summary>Handles of a user's living sessions, oldest first; in one tenant, or (null) in all.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken);

    /// <summary>Replaces the data that only back ends see. False if there is no such session.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken);

    /// <summary>Replaces the payload of the next access token. False if there is no such session.</summary>
    /// <exception cref="GridException">Grid does not answer, or refuses; see <see cref="GridException.Reason"/>.</exception>
    Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken);

    /// <summary>Ends one session; it is refused everywhere when this returns.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    Task<GridRevocation> RevokeAsync(string handle, CancellationToken cancellationToken) => RevokeAsync(handle, GridRevocationReason.Requested, cancellationToken);

    /// <summary>As <see cref="RevokeAsync(string, CancellationToken)"/>, with the reason that the log and the store keep.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken);

    /// <summary>Ends several sessions, waiting once for all of them; they are refused everywhere when this returns. What names no session is left out.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of a tenant, without telling which they were; they are refused everywhere when this returns.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of a user; they are refused everywhere when this returns.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="tenantId">In one tenant, or (null) in all.</param>
    /// <param name="exceptHandle">A session that lives on, mostly the caller's own.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken);

    /// <summary>Tells when a session ends. Dispose it when you no longer need it.</summary>
    /// <exception cref="ArgumentException"><paramref name="handle"/> is no session handle.</exception>
    SessionWatch Watch(string handle);

    /// <summary>The published keys, as a JWKS document.</summary>
    ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken);
}
