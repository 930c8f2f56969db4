using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="SessionInformation"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.session-information")]
internal struct SessionInformationSurrogate
{
    [Id(0)] public string Handle;
    [Id(1)] public string UserId;
    [Id(2)] public string TenantId;
    [Id(3)] public string PayloadJson;
    [Id(4)] public string DataJson;
    [Id(5)] public DateTimeOffset CreatedAt;
    [Id(6)] public DateTimeOffset ExpiresAt;
    [Id(7)] public string? RecipeUserId; // None if it is the user id.
}

[RegisterConverter]
internal sealed class SessionInformationConverter : IConverter<SessionInformation, SessionInformationSurrogate>
{
    public SessionInformation ConvertFromSurrogate(in SessionInformationSurrogate surrogate) => new()
    {
        Handle = surrogate.Handle,
        UserId = surrogate.UserId,
        RecipeUserId = surrogate.RecipeUserId ?? surrogate.UserId,
        TenantId = surrogate.TenantId,
        PayloadJson = surrogate.PayloadJson,
        DataJson = surrogate.DataJson,
        CreatedAt = surrogate.CreatedAt,
        ExpiresAt = surrogate.ExpiresAt,
    };

    public SessionInformationSurrogate ConvertToSurrogate(in SessionInformation value) => new()
    {
        Handle = value.Handle,
        UserId = value.UserId,
        RecipeUserId = value.RecipeUserId == value.UserId ? null : value.RecipeUserId,
        TenantId = value.TenantId,
        PayloadJson = value.PayloadJson,
        DataJson = value.DataJson,
        CreatedAt = value.CreatedAt,
        ExpiresAt = value.ExpiresAt,
    };
}
