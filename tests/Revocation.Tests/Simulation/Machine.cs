using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Where a process runs, and runs again after it died: a name, a clock, connections.</summary>
internal sealed class Machine(HolderKind kind, int number, SimClock clock, LeaseTerms terms)
{
    /// <summary>Which cluster it is configured for. The store belongs to cluster 0.</summary>
    public int Cluster { get; init; }

    /// <summary>The app that a service serves.</summary>
    public string? App { get; init; }

    /// <summary>What it writes into the log it believes to write so much earlier.</summary>
    public TimeSpan BehindBy { get; init; }

    /// <summary>Its purge believes that it is so much later.</summary>
    public TimeSpan WrongBy { get; init; }

    public HolderKind Kind => kind;

    public string Name { get; } = kind == HolderKind.Silo ? $"silo{number}" : $"service{number}";

    public SimClock Clock { get; } = clock;

    public LeaseTerms Terms { get; } = terms;

    /// <summary>Until then it executes nothing.</summary>
    public TimeSpan PausedUntil { get; set; }

    /// <summary>It reaches neither the store nor, if it is a service, a silo.</summary>
    public bool IsCutFromStore { get; set; }

    /// <summary>Machines that nothing is heard of that this one sends. One way.</summary>
    public HashSet<Machine> Unheard { get; } = [];

    /// <summary>Null while it is down.</summary>
    public Node? Node { get; set; }

    /// <summary>Whether it may be asked about sessions of an app.</summary>
    public bool Serves(string app) => App is null || App == app;

    public bool Reaches(Machine other) => !Unheard.Contains(other);
}
