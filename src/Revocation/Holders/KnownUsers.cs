using System.Diagnostics.CodeAnalysis;

namespace Grid.Revocation.Holders;

/// <summary>Known sessions by user, for entries that end a user's. Used under the holder's lock.</summary>
/// <remarks>
/// A user costs an entry of 20 bytes or so: it is found by one of its sessions, from which the others hang. That one changes only when it goes.
/// </remarks>
internal sealed class KnownUsers
{
    // Of so few nothing is given back.
    private const int MinCapacity = 1_024;

    private readonly HashSet<KnownSession> _first;
    private readonly HashSet<KnownSession>.AlternateLookup<UserName> _byName;

    public KnownUsers()
    {
        _first = new HashSet<KnownSession>(SameUser.Instance);
        _byName = _first.GetAlternateLookup<UserName>();
    }

    /// <summary>Number of users that have a known session.</summary>
    public int Count => _first.Count;

    /// <summary>The user's id as its known sessions hold it, so that they share it; null if there are none.</summary>
    public string? SharedId(UserName user) => _byName.TryGetValue(user, out var first) ? first.UserId : null;

    public void Add(KnownSession session)
    {
        if (!_first.TryGetValue(session, out var first))
        {
            _first.Add(session);
            return;
        }

        (session.PreviousOfUser, session.NextOfUser) = (first, first.NextOfUser);
        if (first.NextOfUser is { } next)
        {
            next.PreviousOfUser = session;
        }

        first.NextOfUser = session;
    }

    public void Remove(KnownSession session)
    {
        if (session.PreviousOfUser is { } previous)
        {
            previous.NextOfUser = session.NextOfUser;
        }
        else
        {
            _first.Remove(session);
            if (session.NextOfUser is { } heir)
            {
                _first.Add(heir);
            }
            else if (_first.Capacity > MinCapacity && _first.Count < _first.Capacity / 4)
            {
                _first.TrimExcess(_first.Count * 2);
            }
        }

        if (session.NextOfUser is { } next)
        {
            next.PreviousOfUser = session.PreviousOfUser;
        }

        (session.PreviousOfUser, session.NextOfUser) = (null, null);
    }

    /// <summary>The user's sessions. Nothing may change meanwhile.</summary>
    public IEnumerable<KnownSession> Of(UserName user)
    {
        for (var session = _byName.TryGetValue(user, out var first) ? first : null; session is not null; session = session.NextOfUser)
        {
            yield return session;
        }
    }

    private sealed class SameUser : IEqualityComparer<KnownSession>, IAlternateEqualityComparer<UserName, KnownSession>
    {
        public static SameUser Instance { get; } = new();

        public bool Equals(KnownSession? x, KnownSession? y) =>
            ReferenceEquals(x, y) || (x is not null && y is not null && Equals(new UserName(x.Name.App, x.Name.Tenant, x.UserId), y));

        public bool Equals(UserName alternate, KnownSession other) =>
            alternate.UserId == other.UserId && alternate.Tenant == other.Name.Tenant && alternate.App == other.Name.App;

        public int GetHashCode([DisallowNull] KnownSession obj) => HashCode.Combine(obj.UserId, obj.Name.Tenant, obj.Name.App);

        public int GetHashCode(UserName alternate) => HashCode.Combine(alternate.UserId, alternate.Tenant, alternate.App);

        public KnownSession Create(UserName alternate) => throw new NotSupportedException("A user is known by a session.");
    }
}
