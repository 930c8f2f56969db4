namespace Grid.Abstractions.Sessions;

/// <summary>A session as grains answer it: everything but hashes. Members as in <see cref="SessionRecord"/>.</summary>
[GenerateSerializer, Immutable, Alias("grid.session-snapshot")]
public sealed record SessionSnapshot
{
    [Id(0)] public required SessionHandle Handle { get; init; }

    [Id(1)] public required string UserId { get; init; }

    [Id(2)] public required string PayloadJson { get; init; }

    [Id(3)] public required string DataJson { get; init; }

    [Id(4)] public required bool UseDynamicKey { get; init; }

    [Id(5)] public required DateTimeOffset CreatedAt { get; init; }

    [Id(6)] public required DateTimeOffset ExpiresAt { get; init; }

    [Id(7)] public string? RecipeUserId { get; init; }
}
