using Grid.Revocation.Registry;

namespace Grid.Revocation.Holders;

/// <summary>Runs a holder in its process: keeps it fresh, looks up watched sessions that it does not vouch for, and reports an outage once.</summary>
/// <remarks>
/// What a silo and a service do alike. When to start, how long to wait for it and what to log is theirs. Events come one at a time.
/// </remarks>
internal sealed class HolderHost
{
    private readonly HolderLoop _loop;
    private readonly SessionChecks _checks;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _recheckEvery;
    private readonly Func<Exception, string?>? _refusal;
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isFailing;
    private string? _reported;
    private CancellationToken _stop;

    /// <param name="loop">Keeps the holder fresh.</param>
    /// <param name="checks">The holder's.</param>
    /// <param name="clock">The holder's clock.</param>
    /// <param name="recheckEvery">How late it may be noticed that a watched session has expired, or ended unseen.</param>
    /// <param name="refusal">The reason in a failure, if the other side answered and refused; null otherwise. Each new reason is reported, even during an outage.</param>
    public HolderHost(HolderLoop loop, SessionChecks checks, TimeProvider clock, TimeSpan recheckEvery, Func<Exception, string?>? refusal = null)
    {
        (_loop, _checks, _clock, _recheckEvery, _refusal) = (loop, checks, clock, recheckEvery, refusal);
        loop.Began += OnBegan;
        loop.Renewed += () => (_isFailing, _reported) = (false, null);
        loop.Failed += OnFailed;
        loop.WasLost += () => WasLost?.Invoke(_isFailing);
    }

    /// <summary>A new incarnation is fresh. Watched sessions are looked up when this returns.</summary>
    public event Action? Began;

    /// <summary>An outage began, or goes on with a refusal that was not reported yet. Not raised while the process stops.</summary>
    public event Action<Exception>? Failing;

    /// <summary>The registry had lost the row: the holder starts anew. Whether that follows a reported outage.</summary>
    public event Action<bool>? WasLost;

    /// <summary>Completed when the holder has been fresh for the first time.</summary>
    public Task FirstFresh => _loop.FirstFresh;

    /// <summary>Completed when the holder has been fresh for the first time, or its first attempt has failed.</summary>
    public Task FirstAttempt => _tried.Task;

    /// <summary>Runs until told to stop, then leaves the registry if it can.</summary>
    /// <param name="identity">Name, kind, address and lease; the incarnation is filled in.</param>
    /// <param name="closeStore">
    /// Called when the registry has been left: only then, because a holder that is listed holds up revocations, and before the last
    /// look-ups are waited for, because it ends them.
    /// </param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Func<HolderRow> identity, Func<ValueTask> closeStore, CancellationToken stop)
    {
        _stop = stop;
        var rechecking = RecheckAsync(stop);
        await _loop.RunAsync(identity, stop);
        await closeStore();
        await rechecking;
    }

    private async Task RecheckAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(_recheckEvery, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            await _checks.RecheckWatchedAsync();
        }
    }

    private void OnBegan()
    {
        _tried.TrySetResult();
        Began?.Invoke();
        _ = _checks.RecheckWatchedAsync();
    }

    // It is tried again every second or sooner, and an outage, until the next renewal, is one event. That the other side is there and refuses is another.
    private void OnFailed(Exception failure)
    {
        _tried.TrySetResult();
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        var refusal = _refusal?.Invoke(failure);
        if (!_isFailing || (refusal is not null && refusal != _reported))
        {
            (_isFailing, _reported) = (true, refusal ?? _reported);
            Failing?.Invoke(failure);
        }
    }
}
