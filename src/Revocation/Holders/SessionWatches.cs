namespace Grid.Revocation.Holders;

/// <summary>Signals when a session ends. Dispose it when you no longer need it.</summary>
public sealed class SessionWatch : IDisposable
{
    private readonly Action<SessionWatch> _leave;
    private readonly CancellationTokenSource _ended = new();

    internal SessionWatch(SessionName name, long since, Action<SessionWatch> leave) => (Name, Since, _leave) = (name, since, leave);

    /// <summary>The watched session.</summary>
    public SessionName Name { get; internal set; }

    /// <summary>Cancelled when the session ends; not when the holder merely stops being fresh, because an outage signs nobody out.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <inheritdoc/>
    public void Dispose() => _leave(this);

    /// <summary>When it began, by the holder's clock.</summary>
    internal long Since { get; }

    // Asynchronously: a lock is held here, and callbacks must not run under it.
    internal void End() => _ = _ended.CancelAsync();
}

/// <summary>All watches by session. Used under the holder's lock, except for disposal of a watch.</summary>
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

    /// <summary>Fills in the app where it was not known yet.</summary>
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

    /// <summary>A look that began at that time found no such session. Later watches are not affected: it may have been created since.</summary>
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
