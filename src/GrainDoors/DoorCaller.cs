namespace Grid.GrainDoors;

/// <summary>Who calls a door: in the request context of each call, under <see cref="Key"/>.</summary>
[GenerateSerializer, Immutable, Alias("grid.door.caller")]
internal sealed record DoorCaller
{
    /// <summary>Of the request context.</summary>
    public const string Key = "grid.caller";

    /// <summary>The app whose sessions are meant: <c>shop</c>, or <c>shop@domain</c>.</summary>
    [Id(0)] public required string App { get; init; }

    /// <summary>A key of the core API; null for none.</summary>
    [Id(1)] public string? ApiKey { get; init; }

    /// <summary>Not the key.</summary>
    public override string ToString() => $"a caller of app {App}";
}
