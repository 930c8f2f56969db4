using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.Grains.Sessions;

/// <summary>What every silo is told after a revocation was committed.</summary>
[GenerateSerializer, Immutable, Alias("grid.sessions-ended")]
internal sealed record SessionsEnded
{
    [Id(0)] public required AppKey App { get; init; }

    /// <summary>The sessions; null = all of <see cref="TenantId"/>.</summary>
    [Id(1)] public ImmutableArray<SessionHandle>? Sessions { get; init; }

    /// <summary>With no <see cref="Sessions"/>: the tenant; null = the whole app.</summary>
    [Id(2)] public string? TenantId { get; init; }
}
