using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="IssuedToken"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.issued-token")]
internal struct IssuedTokenSurrogate
{
    [Id(0)] public string Text;
    [Id(1)] public DateTimeOffset CreatedAt;
    [Id(2)] public DateTimeOffset ExpiresAt;
}

[RegisterConverter]
internal sealed class IssuedTokenConverter : IConverter<IssuedToken, IssuedTokenSurrogate>
{
    public IssuedToken ConvertFromSurrogate(in IssuedTokenSurrogate surrogate) => new(
        surrogate.Text, surrogate.CreatedAt, surrogate.ExpiresAt);

    public IssuedTokenSurrogate ConvertToSurrogate(in IssuedToken value) => new()
    {
        Text = value.Text,
        CreatedAt = value.CreatedAt,
        ExpiresAt = value.ExpiresAt,
    };
}
