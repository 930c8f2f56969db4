using Grid.Revocation.Registry;

namespace Grid.Revocation.Holders;

/// <summary>Registers a holder and keeps it fresh (h1, h2).</summary>
internal sealed class HolderLoop
{
    // The log is kept at least three times as long, so that two machines' clocks need not agree to the minute.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(5);

    private readonly Holder _holder;
    private readonly IHolderStore _store;
    private readonly TimeProvider _clock;
    private readonly Func<Guid> _newIncarnation;
    private readonly Func<double> _random;
    private readonly int _patience;
    private readonly TimeSpan? _retryAfter;
    private readonly TimeSpan _longestSilence;
    private readonly TaskCompletionSource _fresh = NewSignal();
    private volatile TaskCompletionSource _nudged = NewSignal();
    private Task? _nudge;

    /// <param name="holder">The holder to keep fresh.</param>
    /// <param name="store">The registry, directly or through a silo.</param>
    /// <param name="clock">The holder's clock.</param>
    /// <param name="newIncarnation">128 random bits.</param>
    /// <param name="random">Between 0 and 1, so that a fleet of holders does not renew in step.</param>
    /// <param name="patience">How many renewal intervals an answer may take.</param>
    /// <param name="retryAfter">Pause after a failure, ± 50 %; null: as between renewals.</param>
    /// <param name="longestSilence">How long a holder may hear nothing and still continue; must be shorter than the log is kept. Default 5 minutes.</param>
    public HolderLoop(
        Holder holder, IHolderStore store, TimeProvider clock, Func<Guid> newIncarnation, Func<double> random, int patience = 1, TimeSpan? retryAfter = null,
        TimeSpan? longestSilence = null)
    {
        ArgumentNullException.ThrowIfNull(holder);
        (_holder, _store, _clock, _newIncarnation, _random, _patience, _retryAfter) = (holder, store, clock, newIncarnation, random, patience, retryAfter);
        _longestSilence = longestSilence ?? LongestSilence;
        holder.Suspected += () => _nudged.TrySetResult();
    }

    /// <summary>A renewal failed, or the store did not answer in time.</summary>
    public event Action<Exception>? Failed;

    /// <summary>A new incarnation had its first renewal: watched sessions have to be looked up again.</summary>
    public event Action? Began;

    /// <summary>A renewal was applied.</summary>
    public event Action? Renewed;

    /// <summary>The registry had lost the row: the holder starts over.</summary>
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
        var heardUpTo = Now();
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
                    heardUpTo = Now();
                    var registered = await _store.RegisterAsync(row, stop).WaitAsync(terms.Lease, _clock, stop);
                    (cursor, terms) = (registered.Cursor, registered.Terms);
                    _holder.Begin(incarnation, terms, registered.RevokedKeys);
                }

                var ticket = _holder.StartRenewal();
                var asked = Now();
                var renewed = await _store.RenewAsync(new HolderRenewal(incarnation, cursor, []), stop).WaitAsync(_patience * terms.RenewEvery, _clock, stop);
                if (renewed.Lost.Contains(incarnation))
                {
                    _holder.Forget();
                    cursor = null;
                    WasLost?.Invoke();
                    continue;
                }

                if (IsTooLong(heardUpTo))
                {
                    // What it missed may have been purged from the log, and its row may still be there because no other process removed it.
                    _holder.Forget();
                    cursor = null;
                    await LeaveAsync(incarnation, terms);
                    continue;
                }

                (cursor, heardUpTo) = (renewed.Cursor, asked);
                _holder.CompleteRenewal(ticket, renewed.Entries);
                _fresh.TrySetResult();
                Renewed?.Invoke();
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
                // The outcome does not matter: the same cursor reads the same entries again, and an incarnation whose registration is unknown is never used.
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

    private (long Timestamp, DateTimeOffset Wall) Now() => (_clock.GetTimestamp(), _clock.GetUtcNow());

    // By either clock: one of them may have stopped with the machine.
    private bool IsTooLong((long Timestamp, DateTimeOffset Wall) since) =>
        _clock.GetElapsedTime(since.Timestamp) > _longestSilence || (_clock.GetUtcNow() - since.Wall).Duration() > _longestSilence;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RestAsync(TimeSpan rest, CancellationToken stop)
    {
        var nudge = _nudge ??= _nudged.Task.HereAsync();

        // It ends by time, nudge or stop; none of these is a failure, and the first happens every second.
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
            // The reaper will remove it.
            Failed?.Invoke(failure);
        }
    }
}
