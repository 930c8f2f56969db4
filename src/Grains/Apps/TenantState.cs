using Grid.Abstractions.Apps;

namespace Grid.Grains.Apps;

/// <summary>What is stored of a tenant; null = never made, or removed.</summary>
[GenerateSerializer, Alias("grid.tenant-state")]
internal sealed record TenantState
{
    [Id(0)] public TenantConfig? Config { get; init; }
}
