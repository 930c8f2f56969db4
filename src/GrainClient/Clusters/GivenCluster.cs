namespace Grid.GrainClient.Clusters;

/// <summary>Reached by the Orleans client that the application has.</summary>
internal sealed class GivenCluster(IServiceProvider services) : ICluster
{
    private IGrainFactory? _grains;

    public GatewayLosses Losses { get; } = new();

    // Asked for when it is used: a client whose parts ask for each other cannot be built.
    public ValueTask<IGrainFactory> ConnectedAsync(CancellationToken cancellationToken) =>
        new(_grains ??= (IGrainFactory?)services.GetService(typeof(IClusterClient)) ?? throw new InvalidOperationException("There is no Orleans client."));
}
