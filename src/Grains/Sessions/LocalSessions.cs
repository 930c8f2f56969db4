using System.Collections.Concurrent;
using Grid.Abstractions.Sessions;

namespace Grid.Grains.Sessions;

/// <summary>The session grains that are active in this silo, so that an end reaches them without activating those that sleep.</summary>
/// <remarks>Fanning out by grain call would wake every session of a user only to tell it that it is dead.</remarks>
internal sealed class LocalSessions
{
    private readonly ConcurrentDictionary<SessionKey, SessionGrain> _active = new();

    public void Add(SessionKey key, SessionGrain grain) => _active[key] = grain;

    // Only this very activation: during a directory change its successor may have registered already.
    public void Remove(SessionKey key, SessionGrain grain) => _active.TryRemove(KeyValuePair.Create(key, grain));

    public void End(SessionsEnded ended)
    {
        if (ended.Sessions is { } handles)
        {
            foreach (var handle in handles)
            {
                if (_active.TryGetValue(new SessionKey(ended.App, handle), out var grain))
                {
                    grain.End();
                }
            }

            return;
        }

        foreach (var (key, grain) in _active)
        {
            if (key.App == ended.App && (ended.TenantId is null || ended.TenantId == key.Handle.TenantId))
            {
                grain.End();
            }
        }
    }
}
