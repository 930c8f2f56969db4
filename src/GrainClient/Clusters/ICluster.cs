using Grid.Client;

namespace Grid.GrainClient.Clusters;

/// <summary>The silos, as far as they can be reached.</summary>
internal interface ICluster
{
    /// <summary>Connections that were lost.</summary>
    GatewayLosses Losses { get; }

    /// <summary>What makes references to grains.</summary>
    /// <exception cref="GridException">There is no connection.</exception>
    ValueTask<IGrainFactory> ConnectedAsync(CancellationToken cancellationToken);
}
