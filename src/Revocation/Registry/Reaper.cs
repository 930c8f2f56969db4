namespace Grid.Revocation.Registry;

/// <summary>Removes holders that have not renewed for so long that they cannot be fresh (r7), measured by this process's clock alone.</summary>
internal sealed class Reaper(TimeProvider clock)
{
    private readonly Dictionary<Guid, (long Counter, long Since)> _seen = [];

    /// <summary>The registry as it was read last, without what was removed then.</summary>
    public IReadOnlyList<HolderRow> Listed { get; private set; } = [];

    /// <summary>Reads the registry and removes rows whose counter has stood still for that holder's W.</summary>
    /// <returns>The removed rows.</returns>
    public async Task<IReadOnlyList<HolderRow>> ReapAsync(IHolderRegistry registry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var askedAt = clock.GetTimestamp();
        var rows = await registry.ListAsync(cancellationToken);
        List<HolderRow> removed = [];
        foreach (var row in Overdue(rows, askedAt, clock.GetTimestamp()))
        {
            // A holder that has renewed in the meantime has another counter and stays.
            if (await registry.RemoveAsync(row.Incarnation, row.Counter, cancellationToken))
            {
                removed.Add(row);
            }
        }

        Listed = [.. rows.Except(removed)];
        return removed;
    }

    /// <summary>For the model.</summary>
    internal IEnumerable<(Guid Incarnation, long Counter, long Since)> Seen() => _seen.Select(seen => (seen.Key, seen.Value.Counter, seen.Value.Since));

    /// <param name="rows">The registry's rows.</param>
    /// <param name="askedAt">Before the registry was read: an unchanged counter stood still until then at least.</param>
    /// <param name="heardAt">After it answered: a counter seen for the first time may have moved until then.</param>
    internal IReadOnlyList<HolderRow> Overdue(IReadOnlyList<HolderRow> rows, long askedAt, long heardAt)
    {
        var gone = _seen.Keys.Except(rows.Select(row => row.Incarnation)).ToList();
        gone.ForEach(incarnation => _seen.Remove(incarnation));
        List<HolderRow> overdue = [];
        foreach (var row in rows)
        {
            if (!_seen.TryGetValue(row.Incarnation, out var seen) || seen.Counter != row.Counter)
            {
                _seen[row.Incarnation] = (row.Counter, heardAt);
            }
            else if (clock.GetElapsedTime(seen.Since, askedAt) >= new LeaseTerms(row.Lease).Wait)
            {
                overdue.Add(row);
            }
        }

        return overdue;
    }
}
