using Grid.Abstractions.Sessions;
using Grid.Grains.Silos;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="ISessionRevoker"/>
internal sealed class SessionRevoker(ISessionStore store, SiloBroadcast silos, TimeProvider clock) : ISessionRevoker
{
    public async Task<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var revoked = await store.RevokeAsync(scope, reason, clock.GetUtcNow(), cancellationToken);
        var ended = new SessionsEnded
        {
            App = scope.App,
            Sessions = scope is RevocationScope.Tenant or RevocationScope.WholeApp ? null : revoked.Sessions,
            TenantId = (scope as RevocationScope.Tenant)?.TenantId,
        };
        if (ended.Sessions is not { IsEmpty: true })
        {
            await silos.SessionsEndedAsync(ended);
        }

        return revoked;
    }
}
