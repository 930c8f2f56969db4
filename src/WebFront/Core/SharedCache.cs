using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Core;

/// <summary>A bounded cache that many apps share: an app that exceeds its share evicts its own oldest values, and a full cache evicts from the app with the most.</summary>
/// <param name="maxOfApp">Values that one app has at most.</param>
/// <param name="max">Values in all.</param>
internal sealed class SharedCache<TKey, TValue>(int maxOfApp, int max)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<(AppKey? App, TKey Key), TValue> _values = new();

    // Each app's keys, oldest first. Null can't be a key of a dictionary: the installation has its own queue.
    private readonly Dictionary<AppKey, Queue<TKey>> _ages = [];
    private readonly Queue<TKey> _agesOfInstallation = new();
    private readonly Lock _lock = new();

    public int Count => _values.Count;

    /// <summary>Takes no lock.</summary>
    public bool TryGet(AppKey? app, TKey key, [MaybeNullWhen(false)] out TValue value) => _values.TryGetValue((app, key), out value);

    public void Set(AppKey? app, TKey key, TValue value)
    {
        lock (_lock)
        {
            if (_values.TryAdd((app, key), value))
            {
                MakeRoom(app);
                AgesOf(app).Enqueue(key);
            }
            else
            {
                _values[(app, key)] = value;
            }
        }
    }

    // The new value has been added already, its age has not.
    private void MakeRoom(AppKey? app)
    {
        if (AgesOf(app).Count >= maxOfApp)
        {
            Drop(app);
        }
        else if (_values.Count > max)
        {
            AppKey? largest = null;
            var size = _agesOfInstallation.Count;
            foreach (var (other, ages) in _ages)
            {
                (largest, size) = ages.Count > size ? (other, ages.Count) : (largest, size);
            }

            Drop(largest);
        }
    }

    private void Drop(AppKey? app)
    {
        var ages = AgesOf(app);
        _values.TryRemove((app, ages.Dequeue()), out _);
        if (ages.Count == 0 && app is { } emptied)
        {
            _ages.Remove(emptied);
        }
    }

    private Queue<TKey> AgesOf(AppKey? app) => app is { } key
        ? CollectionsMarshal.GetValueRefOrAddDefault(_ages, key, out _) ??= new Queue<TKey>()
        : _agesOfInstallation;
}
