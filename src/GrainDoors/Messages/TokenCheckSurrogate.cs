using Grid.Client;
using Grid.Tokens.Access;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="TokenCheck"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.token-check")]
internal struct TokenCheckSurrogate
{
    [Id(0)] public SessionVerdict Verdict;
    [Id(1)] public AccessTokenContent? Token;
    [Id(2)] public string? Why;
}

[RegisterConverter]
internal sealed class TokenCheckConverter : IConverter<TokenCheck, TokenCheckSurrogate>
{
    public TokenCheck ConvertFromSurrogate(in TokenCheckSurrogate surrogate) => new(surrogate.Verdict, surrogate.Token, surrogate.Why);

    public TokenCheckSurrogate ConvertToSurrogate(in TokenCheck value) => new()
    {
        Verdict = value.Verdict,
        Token = value.Token,
        Why = value.Why,
    };
}
