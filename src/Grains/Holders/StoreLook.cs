using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;

namespace Grid.Grains.Holders;

/// <summary>Reads a session's row from the store, and keeps what checks need of it as <see cref="FoundSession.Details"/> (<see cref="RememberedRow"/>).</summary>
/// <remarks>A session of a tenant or app that no longer exists has ended, even if a slow create left its row behind.</remarks>
internal sealed class StoreLook(ISessionReader reader, IAppDirectory apps, TrustedClock clock) : ISessionLook
{
    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        var row = await reader.ReadAsync(SessionKey.Of(name), cancellationToken);
        return row is not null && row.ExpiresAt > clock.GetUtcNow()
            && await apps.FindAsync(row.Key.App, cancellationToken) is { } app && app.TenantIds.Contains(row.Key.Handle.TenantId)
            ? new FoundSession { Name = name, UserId = row.UserId, Epoch = row.UserEpoch, ExpiresAt = row.ExpiresAt, Details = RememberedRow.Of(row) }
            : null;
    }
}
