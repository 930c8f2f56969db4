using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="SessionTokens"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.session-tokens")]
internal struct SessionTokensSurrogate
{
    [Id(0)] public IssuedToken Access;
    [Id(1)] public IssuedToken Refresh;
    [Id(2)] public string? AntiCsrf;
}

[RegisterConverter]
internal sealed class SessionTokensConverter : IConverter<SessionTokens, SessionTokensSurrogate>
{
    public SessionTokens ConvertFromSurrogate(in SessionTokensSurrogate surrogate) => new(
        surrogate.Access, surrogate.Refresh, surrogate.AntiCsrf);

    public SessionTokensSurrogate ConvertToSurrogate(in SessionTokens value) => new()
    {
        Access = value.Access,
        Refresh = value.Refresh,
        AntiCsrf = value.AntiCsrf,
    };
}
