using Grid.Abstractions.Sessions;

namespace Grid.StoreWrites;

/// <summary>A session as grain state.</summary>
[GenerateSerializer, Alias("grid.bench.session")]
internal sealed class StoredSession
{
    [Id(0)] public string UserId { get; set; } = "";

    [Id(1)] public byte[] Current { get; set; } = [];

    [Id(2)] public byte[]? Previous { get; set; }

    [Id(3)] public DateTimeOffset? RotatedAt { get; set; }

    [Id(4)] public string PayloadJson { get; set; } = "";

    [Id(5)] public string DataJson { get; set; } = "";

    [Id(6)] public bool UseDynamicKey { get; set; }

    [Id(7)] public DateTimeOffset CreatedAt { get; set; }

    [Id(8)] public DateTimeOffset ExpiresAt { get; set; }

    public static StoredSession From(SessionRecord session) => new()
    {
        UserId = session.UserId,
        Current = session.Chain.Current.ToArray(),
        Previous = session.Chain.Previous?.ToArray(),
        RotatedAt = session.Chain.RotatedAt,
        PayloadJson = session.PayloadJson,
        DataJson = session.DataJson,
        UseDynamicKey = session.UseDynamicKey,
        CreatedAt = session.CreatedAt,
        ExpiresAt = session.ExpiresAt,
    };
}
