using Grid.Abstractions.Apps;

namespace Grid.Grains.Apps;

/// <summary>A tenant as stored; null if it was never created, or was removed.</summary>
[GenerateSerializer, Alias("grid.tenant-state")]
internal sealed record TenantState
{
    [Id(0)] public TenantConfig? Config { get; init; }
}
