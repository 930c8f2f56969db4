using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Grains.Apps;
using Grid.Grains.Holders;
using Grid.Grains.SigningKeys;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Silos;

/// <inheritdoc cref="ISiloListener"/>
internal sealed class SiloListener(
    GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, SiloTransport holders, Holder holder, AppDirectory apps, KeyRings keys)
    : GrainService(id, silo, loggers), ISiloListener
{
    public async Task<ImmutableArray<Guid>> RevokedAsync(ImmutableArray<RevocationEntry> entries) => [.. await holders.ApplyHereAsync(entries)];

    public Task SessionsChangedAsync(ImmutableArray<SessionName> sessions)
    {
        foreach (var session in sessions)
        {
            holder.MarkChanged(session);
        }

        return Task.CompletedTask;
    }

    public Task AppChangedAsync(AppKey? app)
    {
        apps.Forget(app);
        if (app is { } changed)
        {
            keys.Forget(changed);
        }

        return Task.CompletedTask;
    }
}
