using Grid.Revocation.Registry;

namespace Grid.Revocation.Holders;

/// <summary>Registers a holder and keeps it fresh (h1, h2).</summary>
public sealed class HolderLoop
{
    private readonly Holder _holder;
    private readonly IHolderStore _store;
    private readonly TimeProvider _clock;
    private readonly Func<Guid> _newIncarnation;
    private readonly Func<double> _random;
    private readonly int _patience;
    private readonly TimeSpan? _retryAfter;
    private readonly TaskCompletionSource _fresh = NewSignal();
    private volatile TaskCompletionSource _nudged = NewSignal();
    private Task? _nudge;

    /// <param name="holder">Whom to keep fresh.</param>
    /// <param name="store">Where it is registered.</param>
    /// <param name="clock">The holder's clock.</param>
    /// <param name="newIncarnation">128 random bits.</param>
    /// <param name="random">Between 0 and 1: a fleet of holders shall not renew in step.</param>
    /// <param name="patience">How many renewal intervals an answer may take.</param>
    /// <param name="retryAfter">Rest after a failure, half of it to one and a half; null: as between renewals.</param>
    public HolderLoop(
        Holder holder, IHolderStore store, TimeProvider clock, Func<Guid> newIncarnation, Func<double> random, int patience = 1, TimeSpan? retryAfter = null)
    {
        ArgumentNullException.ThrowIfNull(holder);
        (_holder, _store, _clock, _newIncarnation, _random, _patience, _retryAfter) = (holder, store, clock, newIncarnation, random, patience, retryAfter);
        holder.Suspected += () => _nudged.TrySetResult();
    }

    /// <summary>A renewal failed, or the store did not answer in time.</summary>
    public event Action<Exception>? Failed;

    /// <summary>A new incarnation had its first renewal: what watched sessions came to has to be looked up.</summary>
    public event Action? Began;

    /// <summary>The registry had lost the row: the holder started anew.</summary>
    public event Action? WasLost;

    /// <summary>Completed when the holder has been fresh for the first time.</summary>
    public Task FirstFresh => _fresh.Task;

    /// <summary>Runs until told to stop, then leaves the registry if it can.</summary>
    /// <param name="identity">Name, kind, address and lease; the incarnation is filled in.</param>
    /// <param name="stop">Ends the loop.</param>
    public async Task RunAsync(Func<HolderRow> identity, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(identity);
        string? cursor = null;
        var incarnation = Guid.Empty;
        var terms = LeaseTerms.Standard;
        while (!stop.IsCancellationRequested)
        {
            var hasFailed = false;
            try
            {
                var isNew = cursor is null;
                if (cursor is null)
                {
                    _holder.Forget();
                    incarnation = _newIncarnation();
                    var row = identity() with { Incarnation = incarnation };
                    terms = new LeaseTerms(row.Lease);
                    var registered = await _store.RegisterAsync(row, stop).WaitAsync(terms.Lease, _clock, stop);
                    (cursor, terms) = (registered.Cursor, registered.Terms);
                    _holder.Begin(incarnation, terms, registered.RevokedKeys);
                }

                var ticket = _holder.StartRenewal();
                var renewed = await _store.RenewAsync(new HolderRenewal(incarnation, cursor, []), stop).WaitAsync(_patience * terms.RenewEvery, _clock, stop);
                if (renewed.Lost.Contains(incarnation))
                {
                    _holder.Forget();
                    cursor = null;
                    WasLost?.Invoke();
                    continue;
                }

                cursor = renewed.Cursor;
                _holder.Renewed(ticket, renewed.Entries);
                _fresh.TrySetResult();
                if (isNew)
                {
                    Began?.Invoke();
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failure)
            {
                // Whatever it did: the same cursor reads the same entries again, and an unknown registration is never used.
                hasFailed = true;
                Failed?.Invoke(failure);
                if (_holder.Incarnation != incarnation)
                {
                    cursor = null;
                }
            }

            await RestAsync(hasFailed && _retryAfter is { } retry ? retry * (0.5 + _random()) : terms.RenewEvery * (0.9 + (0.2 * _random())), stop);
        }

        _holder.Forget();
        if (incarnation != Guid.Empty)
        {
            await LeaveAsync(incarnation, terms);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RestAsync(TimeSpan rest, CancellationToken stop)
    {
        var nudge = _nudge ??= _nudged.Task.HereAsync();

        // Over, nudged or stopped: none of them is a failure, and the first happens every second.
        await nudge.WaitAsync(rest, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (nudge.IsCompleted)
        {
            (_nudged, _nudge) = (NewSignal(), null);
        }
    }

    private async Task LeaveAsync(Guid incarnation, LeaseTerms terms)
    {
        try
        {
            await _store.LeaveAsync(incarnation, CancellationToken.None).WaitAsync(terms.RenewEvery, _clock);
        }
        catch (Exception failure)
        {
            // The reaper will find it.
            Failed?.Invoke(failure);
        }
    }
}
