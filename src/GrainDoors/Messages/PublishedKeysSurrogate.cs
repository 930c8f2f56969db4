using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="PublishedKeys"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.published-keys")]
internal struct PublishedKeysSurrogate
{
    [Id(0)] public byte[] Json;
    [Id(1)] public TimeSpan MaxAge;
}

[RegisterConverter]
internal sealed class PublishedKeysConverter : IConverter<PublishedKeys, PublishedKeysSurrogate>
{
    public PublishedKeys ConvertFromSurrogate(in PublishedKeysSurrogate surrogate) => new(surrogate.Json, surrogate.MaxAge);

    public PublishedKeysSurrogate ConvertToSurrogate(in PublishedKeys value) => new()
    {
        Json = value.Json.ToArray(),
        MaxAge = value.MaxAge,
    };
}
