using Grid.Revocation.Registry;

namespace Grid.Revocation.Acknowledgement;

/// <summary>Decides when everybody has been heard or can be left out (r4). Pure but for the clock.</summary>
internal sealed class ConfirmationWait
{
    private readonly Dictionary<Guid, HolderRow> _missing = [];
    private readonly TimeProvider _clock;
    private readonly long _committedAt;
    private readonly Predicate<HolderRow> _counts;
    private readonly LeaseTerms _own;

    // Until the registry says who is there, somebody may hold the longest lease that there is.
    private TimeSpan _longest = new LeaseTerms(LeaseTerms.Longest).Wait;
    private bool _listed;

    /// <param name="committedAt">When the commit was seen, or later.</param>
    /// <param name="own">This process's terms.</param>
    /// <param name="counts">Which holders are waited for.</param>
    /// <param name="clock">This process's clock.</param>
    public ConfirmationWait(long committedAt, LeaseTerms own, Predicate<HolderRow> counts, TimeProvider clock) =>
        (_committedAt, _own, _counts, _clock) = (committedAt, own, counts, clock);

    public int Confirmed { get; private set; }

    public int Excluded { get; private set; }

    /// <summary>Holders not heard of, while the wait goes on; those whose leases ran out, when it is over.</summary>
    public int Missing => _missing.Count + Departed;

    /// <summary>Addresses at which somebody is missing.</summary>
    public IReadOnlyCollection<string> Addresses => _missing.Values.Select(row => row.Address).ToHashSet(StringComparer.Ordinal);

    /// <summary>Everybody was heard, or the longest W has passed: then every lease that was given before the commit has run out.</summary>
    public bool IsOver => (_listed && _missing.Count == 0) || Left <= TimeSpan.Zero;

    public TimeSpan Left => _longest - _clock.GetElapsedTime(_committedAt);

    private int Departed { get; set; }

    /// <param name="rows">The registry as read after the commit (r2): holders that serve the app.</param>
    public void TakeListing(IReadOnlyList<HolderRow> rows)
    {
        if (!_listed)
        {
            _listed = true;
            _longest = _own.Wait;
            foreach (var row in rows)
            {
                _longest = _longest > new LeaseTerms(row.Lease).Wait ? _longest : new LeaseTerms(row.Lease).Wait;
                if (_counts(row))
                {
                    _missing.Add(row.Incarnation, row);
                }
                else
                {
                    Excluded++;
                }
            }

            return;
        }

        // Whoever has left the registry since is not fresh: it left by itself, or the reaper found its counter standing still for W (r7).
        // Whoever has come since read the store after the commit.
        var present = rows.Select(row => row.Incarnation).ToHashSet();
        foreach (var incarnation in _missing.Keys.Where(incarnation => !present.Contains(incarnation)).ToList())
        {
            _missing.Remove(incarnation);
            Departed++;
        }
    }

    /// <summary>An address answers for those who are registered there and for nobody else.</summary>
    public void TakeConfirmations(string address, IEnumerable<Guid> incarnations)
    {
        foreach (var incarnation in incarnations)
        {
            if (_missing.TryGetValue(incarnation, out var row) && row.Address == address)
            {
                _missing.Remove(incarnation);
                Confirmed++;
            }
        }
    }
}
