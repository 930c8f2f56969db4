namespace Grid.GrainDoors;

/// <summary>How a call of a door went.</summary>
internal enum DoorOutcome
{
    /// <summary>From a later version: nobody can say.</summary>
    Unknown = 0,

    /// <summary>Done.</summary>
    Done = 1,

    /// <summary>Store or cluster did not answer: the outcome is unknown.</summary>
    Unavailable = 2,

    /// <summary>Nothing was changed; the message says what to repair.</summary>
    Refused = 3,

    /// <summary>Nothing was changed: the access token would be too long.</summary>
    TokenTooLong = 4,

    /// <summary>The API key is wrong.</summary>
    WrongKey = 5,
}

/// <summary>What comes back through a door: a value, never an exception.</summary>
/// <typeparam name="T">Of the result.</typeparam>
[GenerateSerializer, Immutable, Alias("grid.door.answer`1")]
internal sealed record DoorAnswer<T>
{
    [Id(0)] public required DoorOutcome Outcome { get; init; }

    /// <summary>Why not.</summary>
    [Id(1)] public string? Message { get; init; }

    /// <summary>With <see cref="DoorOutcome.Done"/>; null there: no such session.</summary>
    [Id(2)] public T? Value { get; init; }

    /// <summary>With <see cref="DoorOutcome.Unavailable"/>: how long to wait before the call is repeated; null: nobody said.</summary>
    [Id(3)] public TimeSpan? RetryAfter { get; init; }

    /// <summary>Not the value, which may have tokens in it.</summary>
    public override string ToString() => $"{Outcome} {Message}";
}
