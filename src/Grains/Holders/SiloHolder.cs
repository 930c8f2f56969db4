using Grid.Abstractions.Apps;
using Grid.Abstractions.Telemetry;
using Grid.Grains.Sessions;
using Grid.Grains.SigningKeys;
using Grid.Grains.Watches;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Holders;

/// <summary>This silo as a holder, registered and fresh from start to stop. Also removes holders from the registry whose leases ran out.</summary>
internal sealed partial class SiloHolder : IHostedService, IDisposable
{
    // The start does not wait longer for an unavailable store: the readiness probe reports it.
    private static readonly TimeSpan FirstFreshWithin = TimeSpan.FromSeconds(10);

    private readonly HolderHost _host;
    private readonly IHolderRegistry _registry;
    private readonly ILocalSiloDetails _here;
    private readonly LeaseTerms _terms;
    private readonly GridMetrics _metrics;
    private readonly ILogger<SiloHolder> _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public SiloHolder(
        Holder holder, HolderRelay store, SessionChecks checks, IHolderRegistry registry, ActiveSessionGrains sessions, KeyRings keys, UserWatches watches,
        ILocalSiloDetails here, LeaseTerms terms, GridMetrics metrics, HolderMetrics holderMetrics, ILogger<SiloHolder> logger)
    {
        (_registry, _here, _terms, _metrics, _logger) = (registry, here, terms, metrics, logger);
        holderMetrics.Watch(holder);
        var loop = new HolderLoop(holder, store, LeaseClock.Instance, Guid.NewGuid, Random.Shared.NextDouble);
        _host = new HolderHost(loop, checks, LeaseClock.Instance, 2 * terms.RenewEvery);
        _host.Began += () => Log.Began(logger, terms.Lease);
        _host.Failing += failure => Log.NotRenewed(logger, failure, terms.Lease);
        _host.WasLost += _ => Log.Lost(logger);
        _host.Began += watches.LogBegan;
        holder.Applied += sessions.LetGo;
        holder.Applied += watches.Applied;
        holder.RevokedKeys.Added += (app, _) => keys.Forget(AppKey.Parse(app));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(
            Task.Run(() => _host.RunAsync(Identity, () => ValueTask.CompletedTask, _stop.Token), CancellationToken.None), Task.Run(ReapAsync, CancellationToken.None));
        await Task.WhenAny(_host.FirstFresh, Task.Delay(FirstFreshWithin, LeaseClock.Instance, cancellationToken));
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

    private async Task ReapAsync()
    {
        var reaper = new Reaper(LeaseClock.Instance);
        var pause = 2 * _terms.RenewEvery;
        var cannotReap = false;
        HashSet<Guid> strange = [];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(pause, LeaseClock.Instance, _stop.Token);
                foreach (var row in await reaper.ReapAsync(_registry, _stop.Token))
                {
                    Log.Reaped(_logger, row.Kind, row.PrintableName, row.App ?? "any", row.Address);
                }

                foreach (var row in reaper.Listed.Where(row => row.Kind == HolderKind.Silo && !HolderProtocol.WorksWith(row.Protocol) && strange.Add(row.Incarnation)))
                {
                    Log.OtherProtocol(_logger, row.PrintableName, row.Address, row.Protocol, HolderProtocol.Oldest, HolderProtocol.Newest);
                }

                strange.IntersectWith(reaper.Listed.Select(row => row.Incarnation));
                cannotReap = false;
                _metrics.Holders([("silo", reaper.Listed.Count(row => row.Kind == HolderKind.Silo)), ("service", reaper.Listed.Count(row => row.Kind == HolderKind.Service))]);
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

        [LoggerMessage(2707, LogLevel.Error, "Silo {Name} at {Address} follows version {Protocol} of the revocation protocol, and this one works with {Oldest} to {Newest}: stop whichever is older, and upgrade it by one version at a time")]
        public static partial void OtherProtocol(ILogger logger, string name, string address, int protocol, int oldest, int newest);

        [LoggerMessage(2704, LogLevel.Information, "Could not read the registry of holders; retrying")]
        public static partial void ReaperFailed(ILogger logger, Exception failure);
    }
}
