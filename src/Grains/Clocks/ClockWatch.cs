using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Installation;
using Grid.Revocation;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Clocks;

/// <summary>Compares this machine's clock with the store's every second. A store without a clock is given marks of the time instead.</summary>
internal sealed partial class ClockWatch(ClockTrust trust, IStoreClock store, ILogger<ClockWatch> logger) : IHostedService, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MarkEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private StoreTime? _mark;
    private long _markedAt;
    private bool _wasHeld;

    // Before the other silos know this one: from then on they send it calls, while its own ports are still closed.
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(nameof(ClockWatch), ServiceLifecycleStage.ApplicationServices, _ => LookFirstAsync());

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before any port opens, so that no request is answered by a clock that was never compared.
        await LookFirstAsync();
        _running = Task.Run(WatchAsync, CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _running;
        await MarkAsync();
    }

    public void Dispose() => _stop.Dispose();

    private Task LookFirstAsync()
    {
        trust.Watch();
        return trust.Verdict == ClockVerdict.Unknown ? LookAsync() : Task.CompletedTask;
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(Pause, LeaseClock.Instance, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_stop.IsCancellationRequested)
            {
                await LookAsync();
            }
        }
    }

    private async Task LookAsync()
    {
        try
        {
            // A mark is written by this process only, so it is read once; a server's clock is read each time.
            var asked = trust.Ask();
            var time = _mark ?? await store.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience, LeaseClock.Instance);
            _mark = time.IsRunning ? null : time;
            var before = trust.Verdict;
            if (trust.Compare(asked, time) && (before, trust.Verdict) is not (ClockVerdict.Unknown, ClockVerdict.Right))
            {
                Tell();
            }

            TellOfHold();
            if (!time.IsRunning && LeaseClock.Instance.GetElapsedTime(_markedAt) >= MarkEvery)
            {
                await MarkAsync();
            }
        }
        catch (Exception failure) when (failure is StoreUnavailableException or TimeoutException)
        {
            // The holder reports the outage, and notices by itself if the clock jumps.
        }
        catch (Exception failure)
        {
            Log.Failed(logger, failure);
        }
    }

    private async Task MarkAsync()
    {
        if (_mark is not null && trust is { Verdict: ClockVerdict.Right or ClockVerdict.Off, Newest: { } newest })
        {
            try
            {
                await store.MarkAsync(newest, backwards: false, CancellationToken.None).AsTask().WaitAsync(Patience, LeaseClock.Instance);
                _markedAt = LeaseClock.Instance.GetTimestamp();
            }
            catch (Exception failure) when (failure is StoreUnavailableException or TimeoutException)
            {
                // Retried in a minute. With an older mark a wrong clock is noticed less precisely.
            }
        }
    }

    private void Tell()
    {
        switch (trust.Verdict)
        {
            case ClockVerdict.Wrong:
                Log.Wrong(logger, trust.Reason);
                break;
            case ClockVerdict.Off:
                Log.Off(logger, trust.Reason);
                break;
            default:
                Log.Right(logger);
                break;
        }
    }

    private void TellOfHold()
    {
        var isHeld = trust.PurgeHeldFor > TimeSpan.Zero;
        if (isHeld != _wasHeld)
        {
            _wasHeld = isHeld;
            if (isHeld)
            {
                Log.Held(logger, ClockTrust.LongAbsence, ClockTrust.PurgeWaits);
            }
            else
            {
                Log.HeldNoLonger(logger);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2800, LogLevel.Error,
            "{Reason} Nothing may expire by it: this silo answers 503 and is not ready until the clock is right. Set it (NTP); over SQLite, if it is right now and the file is wrong, stop Grid and run 'grid clock accept'")]
        public static partial void Wrong(ILogger logger, string reason);

        [LoggerMessage(2801, LogLevel.Warning, "{Reason} Requests are served while the difference is at most 30 s; check the time service (NTP)")]
        public static partial void Off(ILogger logger, string reason);

        [LoggerMessage(2802, LogLevel.Information, "This machine's clock agrees with the store")]
        public static partial void Right(ILogger logger);

        [LoggerMessage(2803, LogLevel.Warning,
            "The newest time in the file is more than {Absence} ago: the machine was off, or its clock is wrong. Expired rows stay for {Hold}; if the clock is right, 'grid clock accept' (with Grid stopped) ends the wait")]
        public static partial void Held(ILogger logger, TimeSpan absence, TimeSpan hold);

        [LoggerMessage(2804, LogLevel.Information, "The clock is trusted again: expired rows are removed")]
        public static partial void HeldNoLonger(ILogger logger);

        [LoggerMessage(2805, LogLevel.Warning, "Could not compare the clock with the store's; retrying every second")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
