using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.Live;

/// <summary>This service as a holder: knows which sessions live, so that a request costs no call, and hears of each revocation before it is acknowledged.</summary>
internal sealed partial class LiveSessions : IHostedService, IAsyncDisposable
{
    // An application starts without Grid, and answers 503 until it is there.
    private static readonly TimeSpan FirstFreshWithin = TimeSpan.FromSeconds(2);

    // A silo renews once a second, for itself and for those who asked before.
    private const int Patience = 4;

    private readonly RemoteHolderStore _store;
    private readonly HolderLoop _loop;
    private readonly bool _checksEachRequest;
    private readonly ILogger<LiveSessions> _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isFailing;

    public LiveSessions(IOptions<GridOptions> options, ILogger<LiveSessions> logger)
    {
        (_checksEachRequest, _logger) = (options.Value.CheckEachRequest, logger);
        Holder = new Holder(LeaseClock.Instance);
        _store = new RemoteHolderStore(Holder, options.Value);
        Checks = new SessionChecks(Holder, _store, LeaseClock.Instance);
        _loop = new HolderLoop(Holder, _store, LeaseClock.Instance, Guid.NewGuid, Random.Shared.NextDouble, Patience);
        _loop.Began += OnBegan;
        _loop.Failed += OnFailed;
    }

    public Holder Holder { get; }

    public SessionChecks Checks { get; }

    /// <summary>Whether a request with a valid token of this session may go on.</summary>
    /// <exception cref="GridException">Nobody can say, and the app is strict.</exception>
    public async ValueTask<bool> AcceptsAsync(string handle)
    {
        if (!TryName(handle, out var name))
        {
            return false;
        }

        try
        {
            var finding = await Checks.FindAsync(name);
            return finding.Life != SessionLife.CannotSay ? finding.Life == SessionLife.Lives : _store.IsBounded ? true : throw NobodyCanSay(null);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            return _store.IsBounded ? true : throw NobodyCanSay(failure);
        }
    }

    /// <summary>Whether tokens that this key signed are worthless.</summary>
    public bool IsRevokedKey(string kid) => Holder.IsRevokedKey(_store.App, kid);

    /// <summary>Names a session by its handle.</summary>
    /// <returns>False if that cannot be a handle.</returns>
    public bool TryName(string handle, out SessionName name)
    {
        // A UUID, and _tenant behind it for tenants other than public (core-rules.md §3).
        name = default;
        if (handle.Length < 36 || !Guid.TryParseExact(handle.AsSpan(0, 36), "D", out var id) || (handle.Length > 36 && handle[36] != '_'))
        {
            return false;
        }

        name = new SessionName(_store.App, handle.Length > 37 ? handle[37..] : GridDefaults.TenantId, id);
        return true;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(Task.Run(() => _loop.RunAsync(Identity, _stop.Token), CancellationToken.None), Task.Run(RecheckAsync, CancellationToken.None));

        // Without it single endpoints and watches may still ask: they find it ready when they do.
        if (_checksEachRequest)
        {
            await Task.WhenAny(_loop.FirstFresh, Task.Delay(FirstFreshWithin, cancellationToken));
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync();
        }

        await _running;
    }

    // Also where the host was not stopped: who leaves the registry holds up no revocation.
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        await _store.DisposeAsync();
    }

    // The silo says what the lease is.
    private static HolderRow Identity() => new()
    {
        Incarnation = Guid.Empty,
        Kind = HolderKind.Service,
        Name = $"{AppDomain.CurrentDomain.FriendlyName} on {Environment.MachineName}",
        Address = "",
        Lease = LeaseTerms.Standard.Lease,
    };

    private static GridException NobodyCanSay(Exception? cause) =>
        new(GridFailure.Unavailable, "Whether the session lives cannot be said: there is no connection to Grid, or Grid has none to its store.", cause);

    private async Task RecheckAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(2), LeaseClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await Checks.RecheckWatchedAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private void OnBegan()
    {
        _isFailing = false;
        Log.Connected(_logger);
        _ = Checks.RecheckWatchedAsync();
    }

    private void OnFailed(Exception failure)
    {
        if (!_isFailing && !_stop.IsCancellationRequested)
        {
            _isFailing = true;
            Log.Away(_logger, failure);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4100, LogLevel.Information, "Connected to Grid: sessions are checked here, and revocations are heard of at once")]
        public static partial void Connected(ILogger logger);

        [LoggerMessage(4101, LogLevel.Warning, "Grid does not answer. Known sessions are accepted until the lease runs out; it is tried again")]
        public static partial void Away(ILogger logger, Exception failure);
    }
}
