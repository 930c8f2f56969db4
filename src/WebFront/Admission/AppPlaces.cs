using System.Collections.Concurrent;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Admission;

/// <summary>How many requests one app has in progress, of each class.</summary>
internal sealed class AppPlaces
{
    private readonly int[] _inside = new int[AdmissionControl.Classes];

    /// <summary>One more.</summary>
    /// <returns>How many these are now.</returns>
    public int Enter(RequestClass kind) => Interlocked.Increment(ref _inside[(int)kind]);

    /// <summary>One less.</summary>
    /// <returns>How many are left.</returns>
    public int Leave(RequestClass kind) => Interlocked.Decrement(ref _inside[(int)kind]);

    /// <summary>How many there are.</summary>
    public int Inside(RequestClass kind) => Volatile.Read(ref _inside[(int)kind]);

    /// <summary>Whether none is in progress.</summary>
    public bool IsEmpty => _inside.All(count => count == 0);
}

/// <summary>The places of each app that was seen. Only apps that exist are to be asked for, and those that have nothing in progress are forgotten now and then.</summary>
internal sealed class AppsPlaces
{
    // Apps that are kept whatever they do.
    private const int Few = 1024;

    private readonly ConcurrentDictionary<AppKey, AppPlaces> _apps = new();
    private int _count;
    private int _sweepAt = Few;

    /// <summary>Number of apps that are kept.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>An app's; null if it has none in progress.</summary>
    public AppPlaces? Find(AppKey app) => _apps.GetValueOrDefault(app);

    /// <summary>An app's.</summary>
    public AppPlaces Of(AppKey app) => _apps.TryGetValue(app, out var places) ? places : Add(app);

    private AppPlaces Add(AppKey app)
    {
        var added = new AppPlaces();
        var places = _apps.GetOrAdd(app, added);
        if (ReferenceEquals(places, added) && Interlocked.Increment(ref _count) > Volatile.Read(ref _sweepAt))
        {
            Sweep(places);
        }

        return places;
    }

    // A request that comes in for an app that is forgotten at this very moment leaves by the places that it came in by: for as long as it
    // lasts, its app may have one more.
    private void Sweep(AppPlaces added)
    {
        foreach (var (app, places) in _apps)
        {
            if (!ReferenceEquals(places, added) && places.IsEmpty && _apps.TryRemove(new KeyValuePair<AppKey, AppPlaces>(app, places)))
            {
                Interlocked.Decrement(ref _count);
            }
        }

        Volatile.Write(ref _sweepAt, Math.Max(Few, Count * 2));
    }
}
