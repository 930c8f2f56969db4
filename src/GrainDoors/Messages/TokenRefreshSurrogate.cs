using Grid.Client;
using Grid.Tokens.Refresh;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="TokenRefresh"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.token-refresh")]
internal struct TokenRefreshSurrogate
{
    [Id(0)] public SessionVerdict Verdict;
    [Id(1)] public string? Handle;
    [Id(2)] public string? UserId;
    [Id(3)] public string? TenantId;
    [Id(4)] public string? PayloadJson;
    [Id(5)] public SessionTokens? Tokens;
    [Id(6)] public ReuseKind Reuse;
    [Id(7)] public string? Why;
    [Id(8)] public string? RecipeUserId; // None if it is the user id.
}

[RegisterConverter]
internal sealed class TokenRefreshConverter : IConverter<TokenRefresh, TokenRefreshSurrogate>
{
    public TokenRefresh ConvertFromSurrogate(in TokenRefreshSurrogate surrogate) => new()
    {
        Verdict = surrogate.Verdict,
        Handle = surrogate.Handle,
        UserId = surrogate.UserId,
        RecipeUserId = surrogate.RecipeUserId ?? surrogate.UserId,
        TenantId = surrogate.TenantId,
        PayloadJson = surrogate.PayloadJson,
        Tokens = surrogate.Tokens,
        Reuse = surrogate.Reuse,
        Why = surrogate.Why,
    };

    public TokenRefreshSurrogate ConvertToSurrogate(in TokenRefresh value) => new()
    {
        Verdict = value.Verdict,
        Handle = value.Handle,
        UserId = value.UserId,
        RecipeUserId = value.RecipeUserId == value.UserId ? null : value.RecipeUserId,
        TenantId = value.TenantId,
        PayloadJson = value.PayloadJson,
        Tokens = value.Tokens,
        Reuse = value.Reuse,
        Why = value.Why,
    };
}
