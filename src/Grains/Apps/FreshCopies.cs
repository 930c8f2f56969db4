using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grid.Abstractions;

namespace Grid.Grains.Apps;

/// <summary>Copies of grain state in this silo: a second old at most while its grain answers, up to a minute if it does not.</summary>
/// <remarks>
/// The grain may sit on a silo that just died: until the cluster has noticed, the copy is better than an error. What does
/// not exist is never remembered, so garbage names cannot fill the memory and new ones are seen at once.
/// </remarks>
internal sealed class FreshCopies<TKey, TValue>(TimeProvider clock, Func<TKey, Task<TValue?>> read)
    where TKey : notnull
    where TValue : class
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Usable = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<TKey, Copy> _copies = new();
    private readonly ConcurrentDictionary<TKey, Load> _loading = new();

    public int Count => _copies.Count;

    public bool TryGetFresh(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        value = _copies.TryGetValue(key, out var copy) && clock.GetElapsedTime(copy.CheckedAt) < Fresh ? copy.Value : null;
        return value is not null;
    }

    public ValueTask<TValue?> GetAsync(TKey key) =>
        _copies.TryGetValue(key, out var copy) && clock.GetElapsedTime(copy.CheckedAt) < Fresh
            ? new ValueTask<TValue?>(copy.Value)
            : new ValueTask<TValue?>(LoadAsync(key, copy));

    public void Forget(TKey key)
    {
        _copies.TryRemove(key, out _);

        // A load that began before the change may bring the old value: it must not be stored or joined.
        _loading.TryRemove(key, out _);
    }

    public void ForgetAll(Func<TKey, bool> which)
    {
        foreach (var key in _copies.Keys.Concat(_loading.Keys).Where(which))
        {
            Forget(key);
        }
    }

    private async Task<TValue?> LoadAsync(TKey key, Copy? old)
    {
        var load = _loading.GetOrAdd(key, static (k, copies) => new Load(copies, k), this);
        var usable = old is not null && clock.GetElapsedTime(old.ReadAt) < Usable;
        try
        {
            return await (usable ? load.Task.WaitAsync(Patience, clock) : load.Task);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException or StoreUnavailableException)
        {
            if (!usable)
            {
                throw new StoreUnavailableException("The settings of the app could not be read.", failure);
            }

            // One caller a second waits for the grain; the others go on with the copy.
            _copies.TryUpdate(key, old! with { CheckedAt = clock.GetTimestamp() }, old);
            return old!.Value;
        }
    }

    private async Task<TValue?> FetchAsync(TKey key, Load mine)
    {
        var started = clock.GetTimestamp();
        try
        {
            var value = await read(key);
            if (_loading.TryGetValue(key, out var current) && ReferenceEquals(current, mine))
            {
                if (value is null)
                {
                    _copies.TryRemove(key, out _);
                }
                else
                {
                    _copies[key] = new Copy(value, started, started);
                }
            }

            return value;
        }
        finally
        {
            _loading.TryRemove(KeyValuePair.Create(key, mine));
        }
    }

    private sealed class Load
    {
        private readonly Lazy<Task<TValue?>> _task;

        public Load(FreshCopies<TKey, TValue> copies, TKey key) => _task = new(() => copies.FetchAsync(key, this));

        public Task<TValue?> Task => _task.Value;
    }

    private sealed record Copy(TValue Value, long ReadAt, long CheckedAt);
}
