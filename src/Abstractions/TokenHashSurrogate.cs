using Grid.Tokens;

namespace Grid.Abstractions;

/// <summary>How a <see cref="TokenHash"/> crosses silos: the tokens project knows nothing of Orleans.</summary>
[GenerateSerializer, Alias("grid.token-hash")]
internal struct TokenHashSurrogate
{
    [Id(0)] public byte[] Bytes;
}

[RegisterConverter]
internal sealed class TokenHashConverter : IConverter<TokenHash, TokenHashSurrogate>
{
    public TokenHash ConvertFromSurrogate(in TokenHashSurrogate surrogate) => TokenHash.FromBytes(surrogate.Bytes);

    public TokenHashSurrogate ConvertToSurrogate(in TokenHash value) => new() { Bytes = value.ToArray() };
}
