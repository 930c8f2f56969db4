using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>What a cluster is made of, beside three silos and three services over PostgreSQL.</summary>
internal sealed record ClusterPlan
{
    /// <summary>The third silo runs in there; null: nobody does.</summary>
    public NetworkNamespace? Network { get; init; }

    /// <summary>Where PostgreSQL keeps its data; null: where there is room.</summary>
    public SmallDisk? Disk { get; init; }

    /// <summary>Whether nginx stands before the silos, with the configuration that is deployed.</summary>
    public bool IsBalanced { get; init; }

    /// <summary>The silos are of this build, a <c>Grid.Silo.dll</c>, until the cluster is upgraded; null: of this one.</summary>
    public string? Former { get; init; }

    /// <summary>So many services more, in two processes.</summary>
    public int Crowd { get; init; }

    /// <summary>Both services over HTTP are Node processes.</summary>
    public bool HasNodeServices { get; init; }

    /// <summary>The wall clocks of Node services can be stepped.</summary>
    public bool HasOwnClocks { get; init; }
}
