using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="TokenToRefresh"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.token-to-refresh")]
internal struct TokenToRefreshSurrogate
{
    [Id(0)] public string RefreshToken;
    [Id(1)] public bool EnableAntiCsrf;
    [Id(2)] public string? AntiCsrf;
    [Id(3)] public bool UseDynamicSigningKey;
    [Id(4)] public int MaxAccessTokenLength;
    [Id(5)] public string[]? Others;
    [Id(6)] public TimeSpan JoinWithin;
}

[RegisterConverter]
internal sealed class TokenToRefreshConverter : IConverter<TokenToRefresh, TokenToRefreshSurrogate>
{
    public TokenToRefresh ConvertFromSurrogate(in TokenToRefreshSurrogate surrogate) =>
        new(surrogate.RefreshToken, surrogate.EnableAntiCsrf, surrogate.AntiCsrf, surrogate.UseDynamicSigningKey)
        {
            MaxAccessTokenLength = surrogate.MaxAccessTokenLength,
            Others = surrogate.Others,
            JoinWithin = surrogate.JoinWithin,
        };

    public TokenToRefreshSurrogate ConvertToSurrogate(in TokenToRefresh value) => new()
    {
        RefreshToken = value.RefreshToken,
        EnableAntiCsrf = value.EnableAntiCsrf,
        AntiCsrf = value.AntiCsrf,
        UseDynamicSigningKey = value.UseDynamicSigningKey,
        MaxAccessTokenLength = value.MaxAccessTokenLength,
        Others = value.Others is { } others ? [.. others] : null,
        JoinWithin = value.JoinWithin,
    };
}
