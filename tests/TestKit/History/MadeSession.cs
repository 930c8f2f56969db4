namespace Grid.TestKit.History;

/// <summary>A create call. Times are those of one monotonic clock for the whole history.</summary>
public sealed record MadeSession
{
    /// <summary>Its handle; of a call that was not answered any name that no other has.</summary>
    public required string Session { get; init; }

    /// <summary>A mark that this call alone left in what it made, so that a row can be told to be of it; null: none.</summary>
    public string? Attempt { get; init; }

    public required string App { get; init; }

    public required string Tenant { get; init; }

    public required string UserId { get; init; }

    /// <summary>Before the request left.</summary>
    public required TimeSpan Started { get; init; }

    /// <summary>When it was promised, by a ticket: a revocation of many that begins later ends it, made or not. Null: it was not, or nobody knows.</summary>
    public TimeSpan? Ordered { get; init; }

    /// <summary>When the answer was there; null: it failed, or nobody knows what became of it.</summary>
    public TimeSpan? Acknowledged { get; init; }

    /// <summary>When it ends by itself, if within the history.</summary>
    public TimeSpan? Expires { get; init; }
}
