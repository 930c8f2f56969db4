using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;

namespace Grid.Grains.Watches;

/// <summary>What this silo's session grains did, for those silos, this one among them, that serve watches of the users concerned.</summary>
/// <remarks>Sessions pay one read of a counter for it while nobody watches anybody, and never wait for it.</remarks>
internal sealed class Notices(WatchLimits limits, TimeProvider wall, TimeProvider clock)
{
    // A reader fetches once a second at least.
    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(10);

    private readonly Lock _changing = new();
    private readonly ConcurrentDictionary<string, Outlet> _outlets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<WatchedUser, ImmutableArray<Outlet>> _readers = new();
    private volatile int _watched;

    /// <summary>Whether anybody is watched at all.</summary>
    public bool AreWanted => _watched > 0;

    /// <summary>For tests: how many links are open.</summary>
    internal int Links => _outlets.Count;

    /// <summary>Call it after the write, if <see cref="AreWanted"/>.</summary>
    public void Created(SessionRecord row) => Tell(row, SessionNoticeKind.Created, row.CreatedAt);

    /// <summary>Call it after the write, if <see cref="AreWanted"/>.</summary>
    public void Written(SessionRecord before, SessionRecord after)
    {
        // Not the trusted clock, which may refuse: what was written was written.
        var now = wall.GetUtcNow();
        if (after.Chain != before.Chain)
        {
            Tell(after, SessionNoticeKind.Refreshed, now);
        }

        var (payload, data) = (after.PayloadJson != before.PayloadJson, after.DataJson != before.DataJson);
        if (payload || data)
        {
            Tell(after, SessionNoticeKind.Changed, now, payload, data);
        }
    }

    /// <summary>Nobody knows whether something was written.</summary>
    public void Unknown(WatchedUser user)
    {
        if (_readers.TryGetValue(user, out var readers))
        {
            Add(readers, new SessionNotice { Kind = SessionNoticeKind.Missed, User = user, At = default });
        }
    }

    /// <inheritdoc cref="INoticeSource.OpenAsync"/>
    public void Open(string link, ImmutableArray<WatchedUser> users)
    {
        lock (_changing)
        {
            DropTheSilent();
            var outlet = _outlets.GetOrAdd(link, id => new Outlet(id, limits.Unfetched, clock));
            AddTo(outlet, users);
        }
    }

    /// <inheritdoc cref="INoticeSource.ChangeAsync"/>
    public bool Change(string link, ImmutableArray<WatchedUser> added, ImmutableArray<WatchedUser> removed)
    {
        lock (_changing)
        {
            if (!_outlets.TryGetValue(link, out var outlet))
            {
                return false;
            }

            RemoveFrom(outlet, removed);
            AddTo(outlet, added);
            return true;
        }
    }

    /// <inheritdoc cref="INoticeSource.FetchAsync"/>
    public async Task<FetchedNotices?> FetchAsync(string link, long number)
    {
        if (!_outlets.TryGetValue(link, out var outlet))
        {
            return null;
        }

        var fetched = await outlet.FetchAsync(number);
        if (fetched is null)
        {
            Close(link);
        }

        return fetched;
    }

    /// <inheritdoc cref="INoticeSource.CloseAsync"/>
    public void Close(string link)
    {
        lock (_changing)
        {
            if (_outlets.TryGetValue(link, out var outlet))
            {
                Drop(outlet);
            }
        }
    }

    private void Tell(SessionRecord row, SessionNoticeKind kind, DateTimeOffset at, bool payload = false, bool data = false)
    {
        var user = new WatchedUser(row.Key.App, row.UserId);
        if (_readers.TryGetValue(user, out var readers))
        {
            Add(readers, new SessionNotice
            {
                Kind = kind,
                User = user,
                Session = row.Key.Handle,
                At = at,
                ExpiresAt = row.ExpiresAt,
                PayloadChanged = payload,
                DataChanged = data,
            });
        }
    }

    private void Add(ImmutableArray<Outlet> readers, SessionNotice notice)
    {
        foreach (var reader in readers)
        {
            if (reader.Silence > SilenceAllowed)
            {
                Close(reader.Id);
            }
            else
            {
                reader.Add(notice);
            }
        }
    }

    private void AddTo(Outlet outlet, ImmutableArray<WatchedUser> users)
    {
        foreach (var user in users)
        {
            if (outlet.Users.Add(user))
            {
                _readers.AddOrUpdate(user, static (_, one) => [one], static (_, others, one) => others.Add(one), outlet);
            }
        }

        _watched = _readers.Count;
    }

    private void RemoveFrom(Outlet outlet, IEnumerable<WatchedUser> users)
    {
        foreach (var user in users)
        {
            if (outlet.Users.Remove(user) && _readers.TryGetValue(user, out var readers))
            {
                if (readers.Length == 1)
                {
                    _readers.TryRemove(user, out _);
                }
                else
                {
                    _readers[user] = readers.Remove(outlet);
                }
            }
        }

        _watched = _readers.Count;
    }

    private void Drop(Outlet outlet)
    {
        _outlets.TryRemove(outlet.Id, out _);
        outlet.Close();
        RemoveFrom(outlet, [.. outlet.Users]);
    }

    // The limit of what one keeps is the limit of what is lost with it, so that it need not be found out at once.
    private void DropTheSilent()
    {
        foreach (var outlet in _outlets.Values.Where(outlet => outlet.Silence > SilenceAllowed).ToList())
        {
            Drop(outlet);
        }
    }
}
