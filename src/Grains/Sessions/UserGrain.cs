using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Grains.Outages;
using Orleans.Concurrency;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="IUserGrain"/>
/// <remarks>Reentrant: it keeps no state, and a slow revocation must not block the next one. Why it exists: docs/decisions/0010.</remarks>
[Reentrant]
internal sealed class UserGrain(ISessionStore store, TimeProvider wall, TrustedClock clock, StoreOutages outages)
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
            outages.Met("list", failure);
            return new UserSessionsResult(SessionOutcome.Unavailable, [], []);
        }
    }

    public async Task<UserSessionsResult> RevokeAllAsync(
        bool allTenants, SessionHandle? except, RevocationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            // Not the trusted clock: a wrong one only errs about which sessions had expired, and a revocation must not wait for an operator.
            var revoked = await store.RevokeAsync(RevocationScope.User.Of(_key, allTenants, except), reason, wall.GetUtcNow(), cancellationToken);
            return new UserSessionsResult(SessionOutcome.Ok, revoked.Sessions, revoked.Entries);
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("revoke-all", failure);
            return new UserSessionsResult(SessionOutcome.Unavailable, [], []);
        }
    }
}
