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
/// <typeparam name="TKey">What there is one copy of.</typeparam>
/// <typeparam name="TSource">What reading takes besides the key; of no influence on what is read.</typeparam>
/// <typeparam name="TValue">The copy.</typeparam>
/// <param name="clock">Measures ages.</param>
/// <param name="rules">How old copies may get.</param>
/// <param name="read">Asks the grain. Its last argument is the copy that there is.</param>
internal sealed class FreshCopies<TKey, TSource, TValue>(TimeProvider clock, CopyRules<TValue> rules, Func<TKey, TSource, TValue?, Task<TValue?>> read)
    where TKey : notnull
    where TValue : class
{
    // Of those who find a copy stale, or a key unknown, one a second asks the grain while it does not answer or has nothing new.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    // What a caller with a usable copy waits for a newer one, and one for whom that copy is not enough.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReloadPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<TKey, Copy> _copies = new();
    private readonly ConcurrentDictionary<TKey, Load> _loading = new();

    // Between a load that finishes and the news that makes it outdated, one comes first.
    private readonly Lock _storing = new();

    public int Count => _copies.Count;

    public bool TryGetFresh(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        value = _copies.TryGetValue(key, out var copy) && clock.GetTimestamp() < copy.FreshUntil ? copy.Value : null;
        return value is not null;
    }

    /// <summary>The copy, renewed first if it is not fresh.</summary>
    /// <returns>Null if there is no such thing.</returns>
    /// <exception cref="StoreUnavailableException">It could not be read, and there is no copy that is still usable.</exception>
    public ValueTask<TValue?> GetAsync(TKey key, TSource source) =>
        _copies.TryGetValue(key, out var copy) && clock.GetTimestamp() < copy.FreshUntil
            ? new ValueTask<TValue?>(copy.Value)
            : new ValueTask<TValue?>(LoadAsync(key, source, copy, Patience));

    /// <summary>Renews even a fresh copy, at most once a second, and waits for it: something is missing in the one that there is.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public ValueTask<TValue?> ReloadAsync(TKey key, TSource source) =>
        _copies.TryGetValue(key, out var copy) && clock.GetElapsedTime(copy.AskedAt) < AskAgainAfter
            ? new ValueTask<TValue?>(copy.Value)
            : new ValueTask<TValue?>(LoadAsync(key, source, copy, ReloadPatience));

    /// <summary>Drops a copy, because what it is a copy of has changed. A load that began before is not kept and not joined either.</summary>
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

            // One caller a second waits for the grain; the others go on with the copy.
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
/// <param name="FreshFor">For how long a copy is handed out without asking the grain.</param>
/// <param name="UsableFor">For how long it is handed out if the grain does not answer.</param>
/// <param name="Unreadable">What to say when it does not answer and there is no such copy.</param>
internal sealed record CopyRules<TValue>(Func<TValue, TimeSpan> FreshFor, TimeSpan UsableFor, string Unreadable);
