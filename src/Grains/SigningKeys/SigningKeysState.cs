using System.Collections.Immutable;
using Grid.Abstractions.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <summary>An app's keys as stored, secret parts encrypted.</summary>
[GenerateSerializer, Alias("grid.signing-keys-state")]
internal sealed record SigningKeysState
{
    [Id(0)] public ImmutableArray<StoredKey> Keys { get; init; } = [];
}
