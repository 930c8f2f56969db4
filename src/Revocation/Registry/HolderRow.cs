namespace Grid.Revocation.Registry;

/// <summary>Kinds of holders; stored as number.</summary>
internal enum HolderKind
{
    Unknown = 0,

    /// <summary>A silo with its front and core API.</summary>
    Silo = 1,

    /// <summary>A service that checks tokens itself, connected to a silo.</summary>
    Service = 2,
}

/// <summary>A holder as the registry lists it.</summary>
internal sealed record HolderRow
{
    /// <summary>The newest <see cref="Protocol"/>.</summary>
    public const int CurrentProtocol = 1;

    /// <summary>128 random bits; never used again once it is over.</summary>
    public required Guid Incarnation { get; init; }

    public required HolderKind Kind { get; init; }

    /// <summary>Text form of the app whose sessions it accepts; null: any app's, as silos do. A revocation waits for nobody else's.</summary>
    public string? App { get; init; }

    /// <summary>For people. A service chose it: <see cref="PrintableName"/> is what goes into logs.</summary>
    public required string Name { get; init; }

    /// <summary>Where it, or the silo that it is connected to, hears of revocations.</summary>
    public required string Address { get; init; }

    /// <summary>Its L.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>One more with each renewal. Nobody compares times of two machines: a counter that stands still is what tells that it is gone.</summary>
    public long Counter { get; init; }

    /// <summary>Version of the rules that it follows.</summary>
    public int Protocol { get; init; } = CurrentProtocol;

    /// <summary><see cref="Name"/> as data: on one line, without control characters, at most 100 characters.</summary>
    public string PrintableName => Printable.Of(Name);
}
