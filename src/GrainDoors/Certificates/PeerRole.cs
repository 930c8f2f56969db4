namespace Grid.GrainDoors.Certificates;

/// <summary>What a peer has to be by its certificate.</summary>
internal enum PeerRole
{
    /// <summary>One that connects to another silo as a member of the cluster: certified for both sides of a connection.</summary>
    Member = 0,

    /// <summary>A silo that was connected to: certified as a server.</summary>
    Silo = 1,

    /// <summary>One that connects to a gateway: certified as a client.</summary>
    Service = 2,
}
