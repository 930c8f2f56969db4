namespace Grid.Revocation.Holders;

/// <summary>Tells when a session ends. Dispose it when nobody cares any more.</summary>
public sealed class SessionWatch : IDisposable
{
    private readonly Action<SessionWatch> _leave;
    private readonly CancellationTokenSource _ended = new();

    internal SessionWatch(SessionName name, long since, Action<SessionWatch> leave) => (Name, Since, _leave) = (name, since, leave);

    /// <summary>Which session.</summary>
    public SessionName Name { get; internal set; }

    /// <summary>Cancelled when the session ends. Not when the holder merely stops being fresh: nobody is signed out by an outage.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <inheritdoc/>
    public void Dispose() => _leave(this);

    /// <summary>When it began, by the holder's clock.</summary>
    internal long Since { get; }

    // Callbacks run elsewhere: this is called with a lock held.
    internal void End() => _ = _ended.CancelAsync();
}

/// <summary>Who wants to hear of which session's end. Used under the holder's lock, but for leaving.</summary>
internal sealed class SessionWatches
{
    private readonly Dictionary<SessionName, List<SessionWatch>> _watches = [];

    public IEnumerable<SessionName> Names
    {
        get
        {
            lock (_watches)
            {
                return [.. _watches.Values.Select(watches => watches[0].Name)];
            }
        }
    }

    public bool Contains(SessionName name)
    {
        lock (_watches)
        {
            return _watches.ContainsKey(name);
        }
    }

    /// <summary>Puts the app into the names that have none.</summary>
    public void Name(string app)
    {
        lock (_watches)
        {
            foreach (var (name, watches) in _watches.Where(watches => watches.Key.App.Length == 0).ToList())
            {
                var whole = name with { App = app };
                watches.ForEach(watch => watch.Name = whole);
                _watches.Remove(name);
                _watches[whole] = _watches.TryGetValue(whole, out var others) ? [.. others, .. watches] : watches;
            }
        }
    }

    public SessionWatch Add(SessionName name, long now)
    {
        var watch = new SessionWatch(name, now, Leave);
        lock (_watches)
        {
            if (_watches.TryGetValue(name, out var others))
            {
                others.Add(watch);
            }
            else
            {
                _watches.Add(name, [watch]);
            }
        }

        return watch;
    }

    public void End(SessionName name)
    {
        List<SessionWatch>? watches;
        lock (_watches)
        {
            _watches.Remove(name, out watches);
        }

        foreach (var watch in watches ?? [])
        {
            watch.End();
        }
    }

    /// <summary>A look that began then found no such session: it says nothing to those who came later.</summary>
    public void EndOlder(SessionName name, long lookedAt)
    {
        List<SessionWatch> ended;
        lock (_watches)
        {
            if (!_watches.TryGetValue(name, out var watches))
            {
                return;
            }

            ended = watches.FindAll(watch => watch.Since <= lookedAt);
            watches.RemoveAll(ended.Contains);
            if (watches.Count == 0)
            {
                _watches.Remove(name);
            }
        }

        ended.ForEach(watch => watch.End());
    }

    private void Leave(SessionWatch watch)
    {
        lock (_watches)
        {
            if (_watches.TryGetValue(watch.Name, out var watches) && watches.Remove(watch) && watches.Count == 0)
            {
                _watches.Remove(watch.Name);
            }
        }
    }
}
