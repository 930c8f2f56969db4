using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="CreatedSession"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.created-session")]
internal struct CreatedSessionSurrogate
{
    [Id(0)] public string Handle;
    [Id(1)] public string UserId;
    [Id(2)] public string TenantId;
    [Id(3)] public string PayloadJson;
    [Id(4)] public SessionTokens Tokens;
    [Id(5)] public string? RecipeUserId; // None if it is the user id.
}

[RegisterConverter]
internal sealed class CreatedSessionConverter : IConverter<CreatedSession, CreatedSessionSurrogate>
{
    public CreatedSession ConvertFromSurrogate(in CreatedSessionSurrogate surrogate) => new(
        surrogate.Handle, surrogate.UserId, surrogate.TenantId, surrogate.PayloadJson, surrogate.Tokens)
    { RecipeUserId = surrogate.RecipeUserId ?? surrogate.UserId };

    public CreatedSessionSurrogate ConvertToSurrogate(in CreatedSession value) => new()
    {
        Handle = value.Handle,
        UserId = value.UserId,
        RecipeUserId = value.RecipeUserId == value.UserId ? null : value.RecipeUserId,
        TenantId = value.TenantId,
        PayloadJson = value.PayloadJson,
        Tokens = value.Tokens,
    };
}
