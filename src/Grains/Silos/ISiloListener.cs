using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Orleans.Services;

namespace Grid.Grains.Silos;

/// <summary>One in each silo: receives what concerns that silo's memory.</summary>
[Alias("grid.silo-listener")]
internal interface ISiloListener : IGrainService
{
    /// <summary>Something was revoked: refuse it from now on.</summary>
    /// <returns>Incarnations that do: this silo's, and those of services connected to it.</returns>
    [Alias("revoked")]
    Task<ImmutableArray<Guid>> RevokedAsync(ImmutableArray<RevocationEntry> entries);

    /// <summary>Sessions were written by another silo: their details are outdated here.</summary>
    [Alias("sessions-changed")]
    Task SessionsChangedAsync(ImmutableArray<SessionName> sessions);

    /// <summary>An app was changed or removed: read it again. Null: the list of domains and apps has changed.</summary>
    [Alias("app-changed")]
    Task AppChangedAsync(AppKey? app);

    /// <summary>Tries the port of another silo, which asks whether it can be reached.</summary>
    /// <returns>Why there is no connection; null if there is one, or nothing can be said.</returns>
    [Alias("why-unreachable")]
    Task<string?> WhyUnreachableAsync(SiloAddress other);
}
