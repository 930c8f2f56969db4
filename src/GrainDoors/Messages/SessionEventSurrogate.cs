using Grid.Client;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="SessionEvent"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.session-event")]
internal struct SessionEventSurrogate
{
    [Id(0)] public SessionEventKind Kind;
    [Id(1)] public DateTimeOffset At;
    [Id(2)] public string UserId;
    [Id(3)] public string? Handle;
    [Id(4)] public string? TenantId;
    [Id(5)] public DateTimeOffset? ExpiresAt;
    [Id(6)] public bool PayloadChanged;
    [Id(7)] public bool DataChanged;
    [Id(8)] public SessionEndReason? EndReason;
}

[RegisterConverter]
internal sealed class SessionEventConverter : IConverter<SessionEvent, SessionEventSurrogate>
{
    public SessionEvent ConvertFromSurrogate(in SessionEventSurrogate surrogate) => new()
    {
        Kind = surrogate.Kind,
        At = surrogate.At,
        UserId = surrogate.UserId,
        Handle = surrogate.Handle,
        TenantId = surrogate.TenantId,
        ExpiresAt = surrogate.ExpiresAt,
        PayloadChanged = surrogate.PayloadChanged,
        DataChanged = surrogate.DataChanged,
        EndReason = surrogate.EndReason,
    };

    public SessionEventSurrogate ConvertToSurrogate(in SessionEvent value) => new()
    {
        Kind = value.Kind,
        At = value.At,
        UserId = value.UserId,
        Handle = value.Handle,
        TenantId = value.TenantId,
        ExpiresAt = value.ExpiresAt,
        PayloadChanged = value.PayloadChanged,
        DataChanged = value.DataChanged,
        EndReason = value.EndReason,
    };
}
