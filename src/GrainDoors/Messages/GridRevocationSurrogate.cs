using Grid.Client;
using Grid.Revocation.Acknowledgement;

namespace Grid.GrainDoors.Messages;

/// <summary>How a <see cref="GridRevocation"/> crosses between a service and a silo.</summary>
[GenerateSerializer, Alias("grid.door.revocation")]
internal struct GridRevocationSurrogate
{
    [Id(0)] public string[] Handles;
    [Id(1)] public RevocationReceipt Receipt;
}

[RegisterConverter]
internal sealed class GridRevocationConverter : IConverter<GridRevocation, GridRevocationSurrogate>
{
    public GridRevocation ConvertFromSurrogate(in GridRevocationSurrogate surrogate) => new(surrogate.Handles, surrogate.Receipt);

    public GridRevocationSurrogate ConvertToSurrogate(in GridRevocation value) => new()
    {
        Handles = [.. value.Handles],
        Receipt = value.Receipt,
    };
}
