using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;

namespace Grid.Grains.Holders;

/// <summary>First sight of a session: its row in the store, which stays at hand as <see cref="FoundSession.Details"/> (a <see cref="SessionRecord"/>).</summary>
internal sealed class StoreLook(ISessionReader reader, TimeProvider clock) : ISessionLook
{
    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        var row = await reader.ReadAsync(SessionKey.Of(name), cancellationToken);
        return row is not null && row.ExpiresAt > clock.GetUtcNow()
            ? new FoundSession { Name = name, UserId = row.UserId, Epoch = row.UserEpoch, ExpiresAt = row.ExpiresAt, Details = row }
            : null;
    }
}
