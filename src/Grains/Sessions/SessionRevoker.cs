using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Revocation;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Log;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="ISessionRevoker"/>
internal sealed class SessionRevoker(ISessionStore store, Revoker revoker, TimeProvider clock) : ISessionRevoker
{
    public ValueTask<RevokedSessions> CommitAsync(RevocationScope scope, RevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        return store.RevokeAsync(scope, reason, clock.GetUtcNow(), cancellationToken);
    }

    public Task<RevocationReceipt> ConfirmAsync(ImmutableArray<RevocationEntry> entries, CancellationToken cancellationToken) => entries.IsDefaultOrEmpty
        ? Task.FromResult(RevocationReceipt.None)
        : revoker.ConfirmAsync(entries, LeaseClock.Instance.GetTimestamp(), cancellationToken);
}
