using Grid.Client;
using Grid.Revocation.Holders;

namespace Grid.Hosting;

/// <summary>The silo's sessions in the application's services: these are put together before any of them starts.</summary>
internal sealed class EmbeddedSessions(EmbeddedSilo silo) : IGridSessions
{
    public Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken) => silo.Sessions.CreateAsync(draft, cancellationToken);

    public ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken) => silo.Sessions.VerifyAsync(token, cancellationToken);

    public ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => silo.Sessions.IsActiveAsync(handle, cancellationToken);

    public Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken) => silo.Sessions.RefreshAsync(token, cancellationToken);

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        silo.Sessions.RegenerateAsync(accessToken, payloadJson, cancellationToken);

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken) => silo.Sessions.RegenerateAsync(accessToken, cancellationToken);

    public ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken) => silo.Sessions.FindAsync(handle, cancellationToken);

    public Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken) => silo.Sessions.ListAsync(userId, tenantId, cancellationToken);

    public Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => silo.Sessions.UpdateDataAsync(handle, dataJson, cancellationToken);

    public Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) => silo.Sessions.UpdatePayloadAsync(handle, payloadJson, cancellationToken);

    public Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken) => silo.Sessions.MergePayloadAsync(handle, changesJson, cancellationToken);

    public Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken) => silo.Sessions.CreateJwtAsync(draft, cancellationToken);

    public Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken) => silo.Sessions.RevokeAsync(handle, reason, cancellationToken);

    public Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken) =>
        silo.Sessions.RevokeAsync(sessionHandles, reason, cancellationToken);

    public Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken) => silo.Sessions.RevokeTenantAsync(tenantId, cancellationToken);

    public Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken) =>
        silo.Sessions.RevokeUserAsync(userId, tenantId, exceptHandle, cancellationToken);

    public IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, CancellationToken cancellationToken) =>
        silo.Sessions.WatchUserAsync(userId, tenantId, cancellationToken);

    public SessionWatch Watch(string handle) => silo.Sessions.Watch(handle);

    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => silo.Sessions.ReadKeysAsync(cancellationToken);
}
