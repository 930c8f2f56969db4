using Grid.Revocation.Holders;
using Grid.Revocation.Log;

namespace Grid.Abstractions;

/// <summary>How a <see cref="RevocationEntry"/> crosses silos. The revocation project knows nothing of Orleans.</summary>
[GenerateSerializer, Alias("grid.revocation-entry")]
internal struct RevocationEntrySurrogate
{
    [Id(0)] public long Position;
    [Id(1)] public RevocationKind Kind;
    [Id(2)] public string App;
    [Id(3)] public string? Tenant;
    [Id(4)] public SessionName? Session;
    [Id(5)] public string? UserId;
    [Id(6)] public long Epoch;
    [Id(7)] public SessionName? Kept;
    [Id(8)] public string? Kid;
    [Id(9)] public int Reason;
    [Id(10)] public DateTimeOffset At;
}

[RegisterConverter]
internal sealed class RevocationEntryConverter : IConverter<RevocationEntry, RevocationEntrySurrogate>
{
    public RevocationEntry ConvertFromSurrogate(in RevocationEntrySurrogate surrogate) => new()
    {
        Position = surrogate.Position,
        Kind = surrogate.Kind,
        App = surrogate.App,
        Tenant = surrogate.Tenant,
        Session = surrogate.Session,
        UserId = surrogate.UserId,
        Epoch = surrogate.Epoch,
        Kept = surrogate.Kept,
        Kid = surrogate.Kid,
        Reason = surrogate.Reason,
        At = surrogate.At,
    };

    public RevocationEntrySurrogate ConvertToSurrogate(in RevocationEntry value) => new()
    {
        Position = value.Position,
        Kind = value.Kind,
        App = value.App,
        Tenant = value.Tenant,
        Session = value.Session,
        UserId = value.UserId,
        Epoch = value.Epoch,
        Kept = value.Kept,
        Kid = value.Kid,
        Reason = value.Reason,
        At = value.At,
    };
}
