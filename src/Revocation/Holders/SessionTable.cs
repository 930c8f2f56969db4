using System.Diagnostics.CodeAnalysis;

namespace Grid.Revocation.Holders;

/// <summary>Known sessions by name. One writer at a time, under the holder's lock; any number of readers, who take none and allocate nothing.</summary>
/// <remarks>
/// Not a <c>ConcurrentDictionary</c>, because its entry, which repeats the name, is nearly as large as a session needs to be.
/// <para>
/// A reader stays with the <see cref="Cells"/> it began with. In them a session keeps its place for as long as it is known: its place is written
/// before the cell that refers to it and cleared after it, so that what is known throughout a read is found. A place may meanwhile be given to
/// another session, therefore names are compared. Cells that were replaced are never written again: they miss what was added or
/// read again since, which such a reader came too early for, and still have what was removed since, which says itself that it is over
/// (<see cref="KnownSession.IsOver"/>).
/// </para>
/// </remarks>
internal sealed class SessionTable
{
    private const int MinPlaces = 64;

    private volatile Cells _cells = new(MinPlaces);
    private Stack<int> _free = new();
    private volatile int _count;

    // Places from here on were never taken.
    private int _unused;

    // Cells that are not empty, those of removed sessions among them.
    private int _used;

    // The order of evictions, through the sessions themselves.
    private KnownSession? _oldest;
    private KnownSession? _newest;

    /// <summary>Number of sessions. May be read without the lock.</summary>
    public int Count => _count;

    /// <summary>How many there is room for.</summary>
    public int Room => _cells.Places.Length;

    /// <summary>The one that was added, read again or spared longest ago; null if there is none.</summary>
    public KnownSession? Oldest => _oldest;

    /// <summary>All sessions, the oldest first. Nothing may change meanwhile.</summary>
    public IEnumerable<KnownSession> All
    {
        get
        {
            for (var session = _oldest; session is not null; session = session.Newer)
            {
                yield return session;
            }
        }
    }

    /// <summary>Finds a session. Needs no lock.</summary>
    public bool TryGetValue(in SessionName name, [NotNullWhen(true)] out KnownSession? session)
    {
        var cells = _cells;
        session = cells.TryFind(name, Hash(name), out _, out var found) ? found : null;
        return session is not null;
    }

    /// <summary>Adds a session as the newest, or puts it in the place of the one that has its name.</summary>
    /// <returns>The one that had its name.</returns>
    public KnownSession? Set(KnownSession session)
    {
        var hash = Hash(session.Name);
        if (_cells.TryFind(session.Name, hash, out var cell, out var former))
        {
            Volatile.Write(ref _cells.Places[_cells.PlaceIn(cell)], session);
            Unlink(former);
            Append(session);
            return former;
        }

        if (_used == _cells.MaxUsed || (_free.Count == 0 && _unused == _cells.Places.Length))
        {
            Rebuild(_count + 1 + (_count / 4));
        }

        var place = _free.TryPop(out var free) ? free : _unused++;
        Volatile.Write(ref _cells.Places[place], session);
        _used += _cells.Enter(hash, place) ? 1 : 0;
        _count++;
        Append(session);
        return null;
    }

    /// <summary>Removes this very session.</summary>
    /// <returns>False if it is not there, be it that another has its name.</returns>
    public bool Remove(KnownSession session)
    {
        if (!_cells.TryFind(session.Name, Hash(session.Name), out var cell, out var found) || !ReferenceEquals(found, session))
        {
            return false;
        }

        var place = _cells.PlaceIn(cell);
        _cells.Clear(cell);
        Volatile.Write(ref _cells.Places[place], null);
        _free.Push(place);
        _count--;
        Unlink(session);
        if (_cells.Places.Length > MinPlaces && _count < _cells.Places.Length / 4)
        {
            Rebuild(_count * 2);
        }

        return true;
    }

    /// <summary>Makes it the newest.</summary>
    public void Spare(KnownSession session)
    {
        Unlink(session);
        Append(session);
    }

    // Ids of version 7 begin with the time, which the sum over all four words hides; the product brings it into the upper bits, by which cells are chosen.
    private static uint Hash(in SessionName name) => (uint)name.GetHashCode() * 2_654_435_769;

    private void Rebuild(int places)
    {
        var (former, next) = (_cells, new Cells(Math.Max(places, MinPlaces)));
        var moved = new int[_unused];
        var taken = 0;
        for (var place = 0; place < _unused; place++)
        {
            if (former.Places[place] is { } session)
            {
                next.Places[taken] = session;
                moved[place] = taken++;
            }
        }

        next.EnterAll(former, moved);
        (_used, _unused, _free) = (taken, taken, new Stack<int>());
        _cells = next;
    }

    private void Append(KnownSession session)
    {
        session.Older = _newest;
        if (_newest is null)
        {
            _oldest = session;
        }
        else
        {
            _newest.Newer = session;
        }

        _newest = session;
    }

    private void Unlink(KnownSession session)
    {
        if (session.Older is { } older)
        {
            older.Newer = session.Newer;
        }
        else
        {
            _oldest = session.Newer;
        }

        if (session.Newer is { } newer)
        {
            newer.Older = session.Older;
        }
        else
        {
            _newest = session.Older;
        }

        (session.Older, session.Newer) = (null, null);
    }

    /// <summary>Places of sessions, and an open table of cells over them.</summary>
    private sealed class Cells
    {
        private const long Empty = 0;
        private const long Removed = 1L << 32;

        // The hash above, so that a place is hardly ever looked at in vain; below, negative, the place.
        private readonly long[] _cells;

        public Cells(int places)
        {
            Places = new KnownSession?[places];

            // So many are always empty that a search ends soon.
            _cells = new long[places + (places / 3) + 1];
            MaxUsed = _cells.Length - (_cells.Length / 8) - 1;
        }

        public KnownSession?[] Places { get; }

        /// <summary>Cells that may be in use or have been.</summary>
        public int MaxUsed { get; }

        public int PlaceIn(int cell) => PlaceOf(_cells[cell]);

        public bool TryFind(in SessionName name, uint hash, out int cell, [NotNullWhen(true)] out KnownSession? session)
        {
            for (cell = First(hash); ; cell = After(cell))
            {
                var content = Volatile.Read(ref _cells[cell]);
                if (content == Empty)
                {
                    session = null;
                    return false;
                }

                if ((uint)(content >> 32) == hash && (int)content < 0 && Volatile.Read(ref Places[PlaceOf(content)]) is { } there && there.Name == name)
                {
                    session = there;
                    return true;
                }
            }
        }

        /// <summary>Refers to a place.</summary>
        /// <returns>Whether an empty cell was taken for it.</returns>
        public bool Enter(uint hash, int place)
        {
            var cell = First(hash);
            while ((int)_cells[cell] < 0)
            {
                cell = After(cell);
            }

            var wasEmpty = _cells[cell] == Empty;
            Volatile.Write(ref _cells[cell], ((long)hash << 32) | (uint)~place);
            return wasEmpty;
        }

        /// <summary>Refers to what others referred to, at its new place. In the order of the cells, so that it doesn't matter to the processor how many they are.</summary>
        public void EnterAll(Cells others, int[] moved)
        {
            foreach (var content in others._cells)
            {
                if ((int)content < 0)
                {
                    Enter((uint)(content >> 32), moved[PlaceOf(content)]);
                }
            }
        }

        public void Clear(int cell) => Volatile.Write(ref _cells[cell], Removed);

        private static int PlaceOf(long content) => ~(int)content;

        private int First(uint hash) => (int)(((ulong)hash * (uint)_cells.Length) >> 32);

        private int After(int cell) => cell + 1 < _cells.Length ? cell + 1 : 0;
    }
}
