using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;

namespace Grid.Grains.Holders;

/// <summary>First sight of a session: its row in the store, which stays at hand as <see cref="FoundSession.Details"/> (a <see cref="SessionRecord"/>).</summary>
/// <remarks>A session of a tenant or app that is not there any more is over, though a create that was slow left its row behind.</remarks>
internal sealed class StoreLook(ISessionReader reader, IAppDirectory apps, TrustedClock clock) : ISessionLook
{
    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        var row = await reader.ReadAsync(SessionKey.Of(name), cancellationToken);
        return row is not null && row.ExpiresAt > clock.GetUtcNow()
            && await apps.FindAsync(row.Key.App, cancellationToken) is { } app && app.TenantIds.Contains(row.Key.Handle.TenantId)
            ? new FoundSession { Name = name, UserId = row.UserId, Epoch = row.UserEpoch, ExpiresAt = row.ExpiresAt, Details = row }
            : null;
    }
}
