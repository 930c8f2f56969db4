namespace Grid.Storage.PostgreSql;

/// <summary>How a silo's connections to PostgreSQL are shared out. Each part has a pool of its own, so that none can take the last connection of another.</summary>
/// <param name="Sessions">The session store.</param>
/// <param name="Leases">Holders and the clock: a renewal must not queue behind sessions.</param>
/// <param name="Membership">Orleans' membership table: a silo that could not write there would be declared dead by the others.</param>
/// <param name="Grains">Grain state and reminders, by Orleans' providers. When a silo dies, all of its grains are read at once by the others.</param>
/// <param name="Single">Beside the pools: the session by which the others know that this silo lives (<see cref="ISiloPresence"/>).</param>
/// <remarks>No part waits for a connection while it holds one of another part, nor for a second one of its own.</remarks>
internal sealed record ConnectionShares(int Sessions, int Leases, int Membership, int Grains, int Single)
{
    private const int ForLeases = 3;
    private const int ForMembership = 2;
    private const int OfNoPool = 1;

    // Grain state is settings and keys of apps, kept in memory once it is read.
    private const int OneForGrainsOf = 5;

    /// <summary>Fewer leave a part without any.</summary>
    public const int Min = 8;

    /// <param name="connections">All that this silo may open.</param>
    public static ConnectionShares Of(int connections)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(connections, Min);
        var grains = connections / OneForGrainsOf;
        return new ConnectionShares(connections - ForLeases - ForMembership - grains - OfNoPool, ForLeases, ForMembership, grains, OfNoPool);
    }

    public override string ToString() => $"{Sessions} for sessions, {Leases} for leases, {Membership} for membership, {Grains} for grains, {Single} beside the pools";
}
