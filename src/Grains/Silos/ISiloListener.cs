using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Orleans.Services;

namespace Grid.Grains.Silos;

/// <summary>Present once in each silo, to hear what concerns that silo's memory.</summary>
[Alias("grid.silo-listener")]
internal interface ISiloListener : IGrainService
{
    /// <summary>Something was revoked: refuse it from now on.</summary>
    /// <returns>Incarnations of holders here, and of services connected to here, that do.</returns>
    [Alias("revoked")]
    Task<ImmutableArray<Guid>> RevokedAsync(ImmutableArray<RevocationEntry> entries);

    /// <summary>Sessions were written elsewhere: what is remembered of them beside their lives is outdated.</summary>
    [Alias("sessions-changed")]
    Task SessionsChangedAsync(ImmutableArray<SessionName> sessions);

    /// <summary>An app was changed or removed: read it again. Null = the list of domains changed.</summary>
    [Alias("app-changed")]
    Task AppChangedAsync(AppKey? app);
}
