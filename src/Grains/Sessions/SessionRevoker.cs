using Grid.Abstractions.Sessions;
using Grid.Revocation.Log;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="ISessionRevoker"/>
internal sealed class SessionRevoker(ISessionStore store, TimeProvider clock) : ISessionRevoker
{
    public async ValueTask<RevokedSessions> CommitAsync(RevocationScope scope, RevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var revoked = await store.RevokeAsync(scope, reason, clock.GetUtcNow(), cancellationToken);
        return scope is RevocationScope.Named named ? revoked with { Entries = revoked.Entries.AddRange(Unwritten(named, revoked)) } : revoked;
    }

    // r5: a session that is not there may just have been revoked with its user, tenant or app, and some holder may still vouch for it.
    private static IEnumerable<RevocationEntry> Unwritten(RevocationScope.Named named, RevokedSessions revoked)
    {
        var logged = revoked.Entries.Select(entry => entry.Session).ToHashSet();
        return named.Sessions.Distinct().Select(handle => new SessionKey(named.App, handle).Name).Where(name => !logged.Contains(name)).Select(name => new RevocationEntry
        {
            Position = 0,
            Kind = RevocationKind.Session,
            App = name.App,
            Tenant = name.Tenant,
            Session = name,
        });
    }
}
