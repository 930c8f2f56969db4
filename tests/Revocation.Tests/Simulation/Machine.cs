using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Where a process runs, and runs again after it died: a name, a clock, connections.</summary>
internal sealed class Machine(HolderKind kind, int number, SimClock clock, LeaseTerms terms)
{
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

    public bool Reaches(Machine other) => !Unheard.Contains(other);
}
