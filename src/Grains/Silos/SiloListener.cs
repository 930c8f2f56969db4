using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Grains.Apps;
using Grid.Grains.SigningKeys;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Relay;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Silos;

/// <inheritdoc cref="ISiloListener"/>
internal sealed class SiloListener(
    GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, HolderRelay relay, Holder holder, AppDirectory apps, KeyRings keys)
    : GrainService(id, silo, loggers), ISiloListener
{
    public async Task<ImmutableArray<Guid>> RevokedAsync(ImmutableArray<RevocationEntry> entries) =>
        [.. await relay.ApplyAsync(holder, entries, LeaseClock.Instance)];

    public Task SessionsChangedAsync(ImmutableArray<SessionName> sessions)
    {
        foreach (var session in sessions)
        {
            holder.MarkChanged(session);
        }

        return Task.CompletedTask;
    }

    public Task<string?> WhyUnreachableAsync(SiloAddress other) => SiloReach.WhyUnreachableAsync(other);

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
