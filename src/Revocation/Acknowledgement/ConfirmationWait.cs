using Grid.Revocation.Registry;

namespace Grid.Revocation.Acknowledgement;

/// <summary>Decides when every holder has confirmed or its lease has run out (r4). Pure except for the clock.</summary>
internal sealed class ConfirmationWait
{
    private readonly Dictionary<Guid, HolderRow> _missing = [];
    private readonly TimeProvider _clock;
    private readonly long _committedAt;
    private readonly Predicate<HolderRow> _counts;
    private readonly LeaseTerms _own;

    // Until the registry has been read, some holder may have the longest lease allowed.
    private TimeSpan _longest = new LeaseTerms(LeaseTerms.Longest).Wait;
    private bool _listed;

    /// <param name="committedAt">When the commit was known, or later.</param>
    /// <param name="own">This process's terms.</param>
    /// <param name="counts">Which holders to wait for; the others are excluded.</param>
    /// <param name="clock">This process's clock.</param>
    public ConfirmationWait(long committedAt, LeaseTerms own, Predicate<HolderRow> counts, TimeProvider clock) =>
        (_committedAt, _own, _counts, _clock) = (committedAt, own, counts, clock);

    public int Confirmed { get; private set; }

    public int Excluded { get; private set; }

    /// <summary>During the wait: holders that have not confirmed. Afterwards: holders whose leases ran out.</summary>
    public int Missing => _missing.Count + Departed;

    /// <summary>Addresses of holders that have not confirmed.</summary>
    public IReadOnlyCollection<string> Addresses => _missing.Values.Select(row => row.Address).ToHashSet(StringComparer.Ordinal);

    /// <summary>All have confirmed, or the longest W has passed and with it every lease given before the commit.</summary>
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

        // A holder that has left the registry since is not fresh: it left by itself, or its counter stood still for W (r7). One that has come
        // since read the store after the commit.
        var present = rows.Select(row => row.Incarnation).ToHashSet();
        foreach (var incarnation in _missing.Keys.Where(incarnation => !present.Contains(incarnation)).ToList())
        {
            _missing.Remove(incarnation);
            Departed++;
        }
    }

    /// <summary>An address answers only for holders that are registered there.</summary>
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
