
namespace Grid.GrainClient;

/// <summary>How a service finds the silos, and whose sessions it means.</summary>
public sealed class GridGrainClientOptions : GridGrainOptions
{
    /// <summary>
    /// Npgsql connection string of the cluster's PostgreSQL, where the silos that live now are read; a role that may read is enough. Default: the
    /// configuration's connection string <c>GridCluster</c>. Not together with <see cref="Gateways"/>.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>Addresses of gateways instead, <c>host:port</c> with the port of <c>Grid:Cluster:GatewayPort</c>. A name that stands for several addresses means all of them, and is asked again and again.</summary>
    public IList<string> Gateways { get; } = [];

    /// <summary>The silos' <c>Grid:Cluster:Id</c>. Default <c>grid</c>.</summary>
    public string ClusterId { get; set; } = "grid";

    /// <summary>Anything else of the Orleans client that connects: another clustering provider, TLS. Called last.</summary>
    public Action<IClientBuilder>? ConfigureClient { get; set; }
}
