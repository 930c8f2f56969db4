using System.Collections.Immutable;

namespace Grid.Grains.Apps;

/// <summary>Created apps by domain; the public app of each domain is implied.</summary>
[GenerateSerializer, Alias("grid.catalog-state")]
internal sealed record CatalogState
{
    [Id(0)]
    public ImmutableSortedDictionary<string, ImmutableSortedSet<string>> AppIdsByDomain { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableSortedSet<string>>(StringComparer.Ordinal);

    /// <summary>Domains that are being removed; still listed, since their hosts are still theirs.</summary>
    [Id(1)] public ImmutableSortedSet<string> RemovingDomains { get; init; } = [];
}
