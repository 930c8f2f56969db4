using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Grid.Abstractions;
using Grid.Revocation;

namespace Grid.Grains;

/// <summary>Copies of grain state in this silo. Each renews itself when it is asked for and no longer fresh.</summary>
/// <remarks>
/// The grain may be on a silo that has just died: until the cluster has noticed, a copy is better than an error. What does
/// not exist is never remembered, so garbage names cannot fill the memory and new ones are seen at once.
/// </remarks>
/// <typeparam name="TKey">Names the original.</typeparam>
/// <typeparam name="TSource">What a read needs besides the key.</typeparam>
/// <typeparam name="TValue">The copy.</typeparam>
/// <param name="clock">Measures ages.</param>
/// <param name="rules">How old copies may get.</param>
/// <param name="read">Asks the grain, given the key, the source and the copy so far.</param>
internal sealed class FreshCopies<TKey, TSource, TValue>(TimeProvider clock, CopyRules<TValue> rules, Func<TKey, TSource, TValue?, Task<TValue?>> read)
    where TKey : notnull
    where TValue : class
{
    // While the grain does not answer, or has nothing new, one caller a second asks it again.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    // How long a caller with a usable copy waits for a newer one, and how long one for whom that copy is not enough.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReloadPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<TKey, Copy> _copies = new();
    private readonly ConcurrentDictionary<TKey, Load> _loading = new();

    // Makes keeping a load's result and dropping it atomic.
    private readonly Lock _storing = new();

    public int Count => _copies.Count;

    public bool TryGetFresh(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        value = _copies.TryGetValue(key, out var copy) && clock.GetTimestamp() < copy.FreshUntil ? copy.Value : null;
        return value is not null;
    }

    /// <summary>The copy, renewed first if it is not fresh.</summary>
    /// <returns>Null if the original does not exist.</returns>
    /// <exception cref="StoreUnavailableException">It could not be read, and there is no usable copy.</exception>
    public ValueTask<TValue?> GetAsync(TKey key, TSource source) =>
        _copies.TryGetValue(key, out var copy) && clock.GetTimestamp() < copy.FreshUntil
            ? new ValueTask<TValue?>(copy.Value)
            : new ValueTask<TValue?>(LoadAsync(key, source, copy, Patience));

    /// <summary>Renews the copy even if it is fresh, at most once a second, because something is missing in it.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public ValueTask<TValue?> ReloadAsync(TKey key, TSource source) =>
        _copies.TryGetValue(key, out var copy) && clock.GetElapsedTime(copy.AskedAt) < AskAgainAfter
            ? new ValueTask<TValue?>(copy.Value)
            : new ValueTask<TValue?>(LoadAsync(key, source, copy, ReloadPatience));

    /// <summary>Drops a copy because the original has changed. A load that began before is neither kept nor joined.</summary>
    public void Forget(TKey key)
    {
        lock (_storing)
        {
            _copies.TryRemove(key, out _);
            _loading.TryRemove(key, out _);
        }
    }

    public void ForgetAll(Func<TKey, bool> which)
    {
        foreach (var key in _copies.Keys.Concat(_loading.Keys).Where(which))
        {
            Forget(key);
        }
    }

    private async Task<TValue?> LoadAsync(TKey key, TSource source, Copy? old, TimeSpan patience)
    {
        var load = _loading.GetOrAdd(key, static (k, from) => new Load(from.Copies, k, from.Source), (Copies: this, Source: source));
        var usable = old is not null && clock.GetElapsedTime(old.ReadAt) < rules.UsableFor;
        try
        {
            return await (usable ? load.Task.WaitAsync(patience, clock) : load.Task);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException or StoreUnavailableException)
        {
            if (!usable)
            {
                throw new StoreUnavailableException(rules.Unreadable, failure);
            }

            // One caller a second waits for the grain; the others use the copy.
            var now = clock.GetTimestamp();
            _copies.TryUpdate(key, old! with { AskedAt = now, FreshUntil = now + clock.ToTicks(AskAgainAfter) }, old);
            return old!.Value;
        }
    }

    private async Task<TValue?> FetchAsync(TKey key, TSource source, Load mine)
    {
        var started = clock.GetTimestamp();
        try
        {
            var value = await read(key, source, _copies.GetValueOrDefault(key)?.Value);
            lock (_storing)
            {
                if (_loading.GetValueOrDefault(key) == mine)
                {
                    if (value is null)
                    {
                        _copies.TryRemove(key, out _);
                    }
                    else
                    {
                        _copies[key] = new Copy(value, started, started, started + clock.ToTicks(rules.FreshFor(value)));
                    }
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

        public Load(FreshCopies<TKey, TSource, TValue> copies, TKey key, TSource source) => _task = new(() => copies.FetchAsync(key, source, this));

        public Task<TValue?> Task => _task.Value;
    }

    private sealed record Copy(TValue Value, long ReadAt, long AskedAt, long FreshUntil);
}

/// <summary>How old copies may get.</summary>
/// <param name="FreshFor">How long a copy is returned without asking the grain.</param>
/// <param name="UsableFor">How long it is returned if the grain does not answer.</param>
/// <param name="Unreadable">Message of the exception when the grain does not answer and there is no usable copy.</param>
internal sealed record CopyRules<TValue>(Func<TValue, TimeSpan> FreshFor, TimeSpan UsableFor, string Unreadable);
