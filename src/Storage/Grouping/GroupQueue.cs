using System.Diagnostics;
using System.Threading.Channels;
using Grid.Abstractions;
using Grid.Abstractions.Telemetry;

namespace Grid.Storage.Grouping;

/// <summary>Sends work that arrives together to the database together. Nothing is delayed on purpose: a group is what arrived while the previous one was under way.</summary>
/// <remarks>A caller that gives up does not disturb the group it is in.</remarks>
internal sealed class GroupQueue<TKey, TInput, TResult> : IAsyncDisposable
    where TKey : notnull
{
    private const int MaxWaiting = 10_000;
    private const int MaxGroup = 256;

    // With a statement's own limit (8 s) it makes the 10 s after which callers have given up.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly Channel<Grouped<TKey, TInput, TResult>> _waiting = Channel.CreateBounded<Grouped<TKey, TInput, TResult>>(
        new BoundedChannelOptions(MaxWaiting) { SingleWriter = false, AllowSynchronousContinuations = false });

    private readonly Func<IReadOnlyList<Grouped<TKey, TInput, TResult>>, Task> _run;
    private readonly Func<Exception, bool> _isOfOne;
    private readonly TimeProvider _clock;
    private readonly Task[] _workers;
    private readonly string _name;

    /// <param name="workers">Groups under way at once.</param>
    /// <param name="clock">Measures how long a piece has waited.</param>
    /// <param name="isOfOne">Whether a failure left everything undone and may be due to one piece: halves of the group are then tried, until that piece fails alone.</param>
    /// <param name="run">Completes or fails each piece; its exception fails the rest.</param>
    /// <param name="name">What it does, in traces.</param>
    public GroupQueue(
        int workers, TimeProvider clock, Func<Exception, bool> isOfOne, Func<IReadOnlyList<Grouped<TKey, TInput, TResult>>, Task> run, string name = "work")
    {
        _name = name;
        _run = run;
        _isOfOne = isOfOne;
        _clock = clock;
        _workers = [.. Enumerable.Range(0, workers).Select(_ => Task.Run(WorkAsync))];
    }

    /// <summary>How much waits.</summary>
    public int Length => _waiting.Reader.Count;

    public ValueTask<TResult> AddAsync(TKey key, TInput input, CancellationToken cancellationToken)
    {
        var work = new Grouped<TKey, TInput, TResult>(key, input, _clock.GetTimestamp());
        if (!_waiting.Writer.TryWrite(work))
        {
            return ValueTask.FromException<TResult>(new StoreUnavailableException("The store has more work waiting than it can take."));
        }

        return new ValueTask<TResult>(cancellationToken.CanBeCanceled ? work.Done.WaitAsync(cancellationToken) : work.Done);
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAll(_workers);
    }

    private async Task WorkAsync()
    {
        var group = new List<Grouped<TKey, TInput, TResult>>(MaxGroup);
        var keys = new HashSet<TKey>();
        Grouped<TKey, TInput, TResult>? held = null;
        while (held is not null || await _waiting.Reader.WaitToReadAsync())
        {
            group.Clear();
            keys.Clear();
            while (group.Count < MaxGroup && (held is not null || _waiting.Reader.TryRead(out held)))
            {
                if (_clock.GetElapsedTime(held.Since) > MaxWait)
                {
                    // Never sent, so certainly not done. Without this a slow database would be kept busy with work whose callers have given up.
                    held.Fail(new StoreUnavailableException("The store is too slow for the work that waits."));
                    held = null;
                    continue;
                }

                if (!keys.Add(held.Key))
                {
                    // The same key again starts the next group.
                    break;
                }

                group.Add(held);
                held = null;
            }

            if (group.Count == 0)
            {
                continue;
            }

            await RunAsync(group);
        }
    }

    private async Task RunAsync(List<Grouped<TKey, TInput, TResult>> group)
    {
        using var span = StartSpan(group);
        try
        {
            await _run(group);
        }
        catch (Exception failure) when (group.Count > 1 && _isOfOne(failure))
        {
            await RunAsync(group[..(group.Count / 2)]);
            await RunAsync(group[(group.Count / 2)..]);
        }
        catch (Exception failure)
        {
            foreach (var work in group)
            {
                work.Fail(failure);
            }
        }
    }

    // Callers wait elsewhere: without this their traces would end at the queue.
    private Activity? StartSpan(List<Grouped<TKey, TInput, TResult>> group)
    {
        if (!GridActivities.Source.HasListeners())
        {
            return null;
        }

        var span = GridActivities.StartShared($"grid.store {_name}", [.. group.Select(work => work.Caller).OfType<Activity>()]);
        span?.SetTag("grid.store.group.size", group.Count);
        return span;
    }
}
