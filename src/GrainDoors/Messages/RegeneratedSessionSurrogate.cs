using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="RegeneratedSession"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.regenerated-session")]
internal struct RegeneratedSessionSurrogate
{
    [Id(0)] public string Handle;
    [Id(1)] public string UserId;
    [Id(2)] public string TenantId;
    [Id(3)] public string PayloadJson;
    [Id(4)] public IssuedToken? AccessToken;
    [Id(5)] public string? RecipeUserId; // None if it is the user id.
}

[RegisterConverter]
internal sealed class RegeneratedSessionConverter : IConverter<RegeneratedSession, RegeneratedSessionSurrogate>
{
    public RegeneratedSession ConvertFromSurrogate(in RegeneratedSessionSurrogate surrogate) => new(
        surrogate.Handle, surrogate.UserId, surrogate.TenantId, surrogate.PayloadJson, surrogate.AccessToken)
    { RecipeUserId = surrogate.RecipeUserId ?? surrogate.UserId };

    public RegeneratedSessionSurrogate ConvertToSurrogate(in RegeneratedSession value) => new()
    {
        Handle = value.Handle,
        UserId = value.UserId,
        RecipeUserId = value.RecipeUserId == value.UserId ? null : value.RecipeUserId,
        TenantId = value.TenantId,
        PayloadJson = value.PayloadJson,
        AccessToken = value.AccessToken,
    };
}
