using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="IUserGrain"/>
/// <remarks>Reentrant: it holds nothing between calls, and a slow revocation must not hold up the next one.</remarks>
[Reentrant]
internal sealed partial class UserGrain(ISessionStore store, ISessionRevoker revoker, TrustedClock clock, ILogger<UserGrain> logger)
    : Grain, IUserGrain
{
    private UserKey _key;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = UserKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<UserSessionsResult> ListAsync(bool allTenants, CancellationToken cancellationToken)
    {
        try
        {
            var handles = await store.ListAsync(
                _key.Tenant.App, allTenants ? null : _key.Tenant.TenantId, _key.UserId, clock.GetUtcNow(), cancellationToken);
            return new UserSessionsResult(SessionOutcome.Ok, handles, []);
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, "list");
            return new UserSessionsResult(SessionOutcome.Unavailable, [], []);
        }
    }

    public async Task<UserSessionsResult> RevokeAllAsync(
        bool allTenants, SessionHandle? except, RevocationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            var revoked = await revoker.CommitAsync(RevocationScope.User.Of(_key, allTenants, except), reason, cancellationToken);
            return new UserSessionsResult(SessionOutcome.Ok, revoked.Sessions, revoked.Entries);
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, "revoke-all");
            return new UserSessionsResult(SessionOutcome.Unavailable, [], []);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2110, LogLevel.Warning, "Store away during {Operation}; outcome unknown")]
        public static partial void StoreUnavailable(ILogger logger, Exception failure, string operation);
    }
}
