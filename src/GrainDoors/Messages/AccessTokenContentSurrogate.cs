using Grid.Tokens.Access;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="AccessTokenContent"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.token-content")]
internal struct AccessTokenContentSurrogate
{
    [Id(0)] public AccessTokenVersion Version;
    [Id(1)] public string UserId;
    [Id(2)] public DateTimeOffset IssuedAt;
    [Id(3)] public DateTimeOffset ExpiresAt;
    [Id(4)] public string TenantId;
    [Id(5)] public string RecipeUserId;
    [Id(6)] public string SessionHandle;
    [Id(7)] public string RefreshTokenHash1;
    [Id(8)] public string? ParentRefreshTokenHash1;
    [Id(9)] public string? AntiCsrfToken;
    [Id(10)] public string PayloadJson;
}

[RegisterConverter]
internal sealed class AccessTokenContentConverter : IConverter<AccessTokenContent, AccessTokenContentSurrogate>
{
    public AccessTokenContent ConvertFromSurrogate(in AccessTokenContentSurrogate surrogate) => new()
    {
        Version = surrogate.Version,
        UserId = surrogate.UserId,
        IssuedAt = surrogate.IssuedAt,
        ExpiresAt = surrogate.ExpiresAt,
        TenantId = surrogate.TenantId,
        RecipeUserId = surrogate.RecipeUserId,
        SessionHandle = surrogate.SessionHandle,
        RefreshTokenHash1 = surrogate.RefreshTokenHash1,
        ParentRefreshTokenHash1 = surrogate.ParentRefreshTokenHash1,
        AntiCsrfToken = surrogate.AntiCsrfToken,
        PayloadJson = surrogate.PayloadJson,
    };

    public AccessTokenContentSurrogate ConvertToSurrogate(in AccessTokenContent value) => new()
    {
        Version = value.Version,
        UserId = value.UserId,
        IssuedAt = value.IssuedAt,
        ExpiresAt = value.ExpiresAt,
        TenantId = value.TenantId,
        RecipeUserId = value.RecipeUserId,
        SessionHandle = value.SessionHandle,
        RefreshTokenHash1 = value.RefreshTokenHash1,
        ParentRefreshTokenHash1 = value.ParentRefreshTokenHash1,
        AntiCsrfToken = value.AntiCsrfToken,
        PayloadJson = value.PayloadJson,
    };
}
