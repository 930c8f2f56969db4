using Grid.Revocation.Acknowledgement;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="RevocationReceipt"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.receipt")]
internal struct RevocationReceiptSurrogate
{
    [Id(0)] public long Position;
    [Id(1)] public TimeSpan Elapsed;
    [Id(2)] public int Confirmed;
    [Id(3)] public int Waited;
    [Id(4)] public int Excluded;
}

[RegisterConverter]
internal sealed class RevocationReceiptConverter : IConverter<RevocationReceipt, RevocationReceiptSurrogate>
{
    public RevocationReceipt ConvertFromSurrogate(in RevocationReceiptSurrogate surrogate) => new(
        surrogate.Position, surrogate.Elapsed, surrogate.Confirmed, surrogate.Waited, surrogate.Excluded);

    public RevocationReceiptSurrogate ConvertToSurrogate(in RevocationReceipt value) => new()
    {
        Position = value.Position,
        Elapsed = value.Elapsed,
        Confirmed = value.Confirmed,
        Waited = value.Waited,
        Excluded = value.Excluded,
    };
}
