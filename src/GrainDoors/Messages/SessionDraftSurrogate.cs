using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="SessionDraft"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.session-draft")]
internal struct SessionDraftSurrogate
{
    [Id(0)] public string UserId;
    [Id(1)] public string TenantId;
    [Id(2)] public string PayloadJson;
    [Id(3)] public string DataJson;
    [Id(4)] public bool WithAntiCsrf;
    [Id(5)] public bool UseDynamicSigningKey;
}

[RegisterConverter]
internal sealed class SessionDraftConverter : IConverter<SessionDraft, SessionDraftSurrogate>
{
    public SessionDraft ConvertFromSurrogate(in SessionDraftSurrogate surrogate) => new()
    {
        UserId = surrogate.UserId,
        TenantId = surrogate.TenantId,
        PayloadJson = surrogate.PayloadJson,
        DataJson = surrogate.DataJson,
        WithAntiCsrf = surrogate.WithAntiCsrf,
        UseDynamicSigningKey = surrogate.UseDynamicSigningKey,
    };

    public SessionDraftSurrogate ConvertToSurrogate(in SessionDraft value) => new()
    {
        UserId = value.UserId,
        TenantId = value.TenantId,
        PayloadJson = value.PayloadJson,
        DataJson = value.DataJson,
        WithAntiCsrf = value.WithAntiCsrf,
        UseDynamicSigningKey = value.UseDynamicSigningKey,
    };
}
