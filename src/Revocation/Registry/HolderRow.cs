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
    /// <summary>128 random bits, never reused.</summary>
    public required Guid Incarnation { get; init; }

    public required HolderKind Kind { get; init; }

    /// <summary>Text form of the app whose sessions it accepts; null: any app's, as silos do. A revocation waits only for holders that serve its app.</summary>
    public string? App { get; init; }

    /// <summary>For people. A service chose it: log <see cref="PrintableName"/> instead.</summary>
    public required string Name { get; init; }

    /// <summary>Where revocations are pushed to: its own silo address, or that of the silo that it is connected to.</summary>
    public required string Address { get; init; }

    /// <summary>L of this holder.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>Incremented by each renewal. Clocks of two machines are never compared: a holder is gone when its counter stands still.</summary>
    public long Counter { get; init; }

    /// <summary>Version of the rules that it follows (<see cref="HolderProtocol"/>).</summary>
    public int Protocol { get; init; } = HolderProtocol.Current;

    /// <summary><see cref="Name"/> for logs: on one line, without control characters, at most 100 characters.</summary>
    public string PrintableName => Printable.Of(Name);
}
