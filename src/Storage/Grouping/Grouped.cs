using System.Diagnostics;
using Grid.Abstractions;
using Grid.Abstractions.Telemetry;

namespace Grid.Storage.Grouping;

/// <summary>One piece of work that waits to go to the database together with others.</summary>
/// <param name="key">Two pieces with the same key never share a group: each must see what the other did.</param>
/// <param name="input">The work.</param>
/// <param name="since">Timestamp of its arrival.</param>
internal sealed class Grouped<TKey, TInput, TResult>(TKey key, TInput input, long since)
{
    private readonly TaskCompletionSource<TResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TKey Key { get; } = key;

    public TInput Input { get; } = input;

    public long Since { get; } = since;

    /// <summary>The span in which it was asked for; null if nobody traces.</summary>
    public Activity? Caller { get; } = GridActivities.Caller;

    public Task<TResult> Done => _done.Task;

    public void Complete(TResult result) => _done.TrySetResult(result);

    // A stranger's failure is wrapped once per caller, so that stack traces do not grow on a shared object.
    public void Fail(Exception failure) => _done.TrySetException(
        failure is StoreUnavailableException ? new StoreUnavailableException(failure.Message, failure.InnerException) : failure);
}
