using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="TokenToCheck"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.token-to-check")]
internal struct TokenToCheckSurrogate
{
    [Id(0)] public string AccessToken;
    [Id(1)] public bool CheckAntiCsrf;
    [Id(2)] public string? AntiCsrf;
    [Id(3)] public bool CheckSession;
}

[RegisterConverter]
internal sealed class TokenToCheckConverter : IConverter<TokenToCheck, TokenToCheckSurrogate>
{
    public TokenToCheck ConvertFromSurrogate(in TokenToCheckSurrogate surrogate) => new(
        surrogate.AccessToken, surrogate.CheckAntiCsrf, surrogate.AntiCsrf, surrogate.CheckSession);

    public TokenToCheckSurrogate ConvertToSurrogate(in TokenToCheck value) => new()
    {
        AccessToken = value.AccessToken,
        CheckAntiCsrf = value.CheckAntiCsrf,
        AntiCsrf = value.AntiCsrf,
        CheckSession = value.CheckSession,
    };
}
