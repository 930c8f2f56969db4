using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests.Simulation;

/// <summary>Whether a tenant or an app is there.</summary>
internal enum Presence
{
    None,
    Exists,

    /// <summary>Its removal has begun: nobody serves it any more, and it is there until its sessions are over everywhere.</summary>
    Removing,
}

/// <summary>What is on the store's disk.</summary>
internal sealed class SimData
{
    public Dictionary<Guid, SimRow> Rows { get; private init; } = [];

    public Dictionary<SessionName, FoundSession> Sessions { get; private init; } = [];

    /// <summary>Sessions that were promised and not yet made: tickets.</summary>
    public Dictionary<SessionName, Permit> Permits { get; private init; } = [];

    public Dictionary<(string App, string Tenant, string UserId), long> Epochs { get; private init; } = [];

    /// <summary>In the order in which they became visible: a cursor counts them, as a snapshot would. Null: purged.</summary>
    public List<(RevocationEntry Entry, DateTimeOffset At)?> Log { get; private init; } = [];

    /// <summary>Those that can be removed; the others are always there. The number tells one life of a name from the next.</summary>
    public Dictionary<(string App, string? Tenant), (Presence Presence, int Life)> Scopes { get; private init; } = [];

    /// <summary>As it is now.</summary>
    public SimData Copy() => new()
    {
        Rows = Rows.ToDictionary(row => row.Key, row => new SimRow { Holder = row.Value.Holder, Cluster = row.Value.Cluster, SecretHash = row.Value.SecretHash }),
        Sessions = new(Sessions),
        Permits = new(Permits),
        Epochs = new(Epochs),
        Log = [.. Log],
        Scopes = new(Scopes),
    };
}

/// <summary>A holder's row in the registry.</summary>
internal sealed class SimRow
{
    public required HolderRow Holder { get; set; }

    /// <summary>Of the silo that wrote it.</summary>
    public required int Cluster { get; init; }

    /// <summary>Of a service.</summary>
    public byte[]? SecretHash { get; init; }

    /// <summary>Renewals that have counted it up and not committed yet.</summary>
    public int Locks { get; set; }
}

/// <summary>A ticket's row.</summary>
/// <param name="UserId">Whose session it will be.</param>
/// <param name="Epoch">The user's when it was ordered.</param>
/// <param name="ExpiresAt">Until then it can be redeemed.</param>
internal sealed record Permit(string UserId, long Epoch, DateTimeOffset ExpiresAt);
