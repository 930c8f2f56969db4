using Grid.Abstractions.Apps;
using Grid.Grains.Sessions;
using Grid.Grains.SigningKeys;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Holders;

/// <summary>This silo as a holder: registered and fresh from start to stop. Also forgets those whose leases ran out.</summary>
internal sealed partial class SiloHolder : IHostedService, IDisposable
{
    // A store that is away for longer is for the readiness probe to show, not for the start to wait for.
    private static readonly TimeSpan FirstFreshWithin = TimeSpan.FromSeconds(10);

    private readonly Holder _holder;
    private readonly HolderLoop _loop;
    private readonly SessionChecks _checks;
    private readonly IHolderRegistry _registry;
    private readonly ILocalSiloDetails _here;
    private readonly LeaseTerms _terms;
    private readonly ILogger<SiloHolder> _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isFailing;

    public SiloHolder(
        Holder holder, HolderRelay store, SessionChecks checks, IHolderRegistry registry, ActiveSessionGrains sessions, KeyRings keys, ILocalSiloDetails here,
        LeaseTerms terms, ILogger<SiloHolder> logger)
    {
        (_holder, _checks, _registry, _here, _terms, _logger) = (holder, checks, registry, here, terms, logger);
        _loop = new HolderLoop(holder, store, LeaseClock.Instance, Guid.NewGuid, Random.Shared.NextDouble);
        _loop.Failed += OnFailed;
        _loop.Began += OnBegan;
        _loop.WasLost += () => Log.Lost(_logger);
        holder.Applied += sessions.End;
        holder.RevokedKeys.Added += (app, _) => keys.Forget(AppKey.Parse(app));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(Task.Run(() => _loop.RunAsync(Identity, _stop.Token), CancellationToken.None), Task.Run(TendAsync, CancellationToken.None));
        await Task.WhenAny(_loop.FirstFresh, Task.Delay(FirstFreshWithin, LeaseClock.Instance, cancellationToken));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _running;
    }

    public void Dispose() => _stop.Dispose();

    private HolderRow Identity() => new()
    {
        Incarnation = Guid.Empty,
        Kind = HolderKind.Silo,
        Name = Environment.MachineName,
        Address = _here.SiloAddress.ToParsableString(),
        Lease = _terms.Lease,
    };

    private async Task TendAsync()
    {
        var reaper = new Reaper(LeaseClock.Instance);
        var pause = 2 * _terms.RenewEvery;
        var cannotReap = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(pause, LeaseClock.Instance, _stop.Token);
                await _checks.RecheckWatchedAsync();
                foreach (var row in await reaper.ReapAsync(_registry, _stop.Token))
                {
                    Log.Reaped(_logger, row.Kind, row.PrintableName, row.App ?? "any", row.Address);
                }

                cannotReap = false;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Stopping.
            }
            catch (Exception failure)
            {
                if (!cannotReap)
                {
                    cannotReap = true;
                    Log.ReaperFailed(_logger, failure);
                }
            }
        }
    }

    private void OnBegan()
    {
        _isFailing = false;
        Log.Began(_logger, _terms.Lease);
        _ = _checks.RecheckWatchedAsync();
    }

    // Every second while the store is away: once is enough.
    private void OnFailed(Exception failure)
    {
        if (!_isFailing)
        {
            _isFailing = true;
            Log.NotRenewed(_logger, failure, _terms.Lease);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2700, LogLevel.Information, "Registered as a holder, lease {Lease}")]
        public static partial void Began(ILogger logger, TimeSpan lease);

        [LoggerMessage(2701, LogLevel.Warning, "The store did not accept a lease renewal in time. Known sessions are accepted until the lease ({Lease}) runs out; retrying every second")]
        public static partial void NotRenewed(ILogger logger, Exception failure, TimeSpan lease);

        [LoggerMessage(2702, LogLevel.Warning, "The registry dropped this process because it was silent for too long. It registers again and starts with an empty memory")]
        public static partial void Lost(ILogger logger);

        [LoggerMessage(2703, LogLevel.Information, "Removed {Kind} {Name} of app {App} at {Address} from the registry: its lease ran out")]
        public static partial void Reaped(ILogger logger, HolderKind kind, string name, string app, string address);

        [LoggerMessage(2704, LogLevel.Information, "Could not read the registry of holders; retrying")]
        public static partial void ReaperFailed(ILogger logger, Exception failure);
    }
}
