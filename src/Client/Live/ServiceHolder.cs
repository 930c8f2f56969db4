using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Telemetry;
using Grid.Tokens;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.Live;

/// <summary>This service as a holder: it remembers active sessions, so that a request costs no call, and hears of each revocation before it is acknowledged.</summary>
/// <remarks>
/// It becomes one with the first token that it checks: every revocation waits for every holder, so a process that only creates, lists
/// and revokes must not be one.
/// </remarks>
internal sealed partial class ServiceHolder : IHostedService, IAsyncDisposable, IDisposable
{
    // A silo renews once a second, for itself and for the services that have asked.
    internal const int Patience = 4;

    // The first request waits this long for the first connection; without Grid it is answered 503.
    private static readonly TimeSpan FirstFreshWithin = TimeSpan.FromSeconds(2);

    private const int MaxReason = 300;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(0.4);
    private static readonly TimeSpan RecheckEvery = TimeSpan.FromSeconds(2);

    private readonly RemoteHolderStore _store;
    private readonly HolderHost _host;
    private readonly HolderMetrics _metrics;
    private readonly ILogger<ServiceHolder> _logger;
    private readonly string? _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _starting = new();
    private Task _running = Task.CompletedTask;
    private Task? _settled;
    private Task? _stopped;

    public ServiceHolder(IOptions<GridClientOptions> options, HolderMetrics metrics, ILogger<ServiceHolder> logger, string? client = null)
        : this(holder => new RemoteHolderStore(holder, options.Value), metrics, logger, client)
    {
    }

    /// <param name="store">Of this holder; the transport is its own choice.</param>
    /// <param name="metrics">Of the process.</param>
    /// <param name="logger">Of this type.</param>
    /// <param name="client">The client's name, where there are several.</param>
    public ServiceHolder(Func<Holder, RemoteHolderStore> store, HolderMetrics metrics, ILogger<ServiceHolder> logger, string? client = null)
    {
        (_metrics, _logger, _client) = (metrics, logger, client);
        Holder = new Holder(LeaseClock.Instance);
        metrics.Watch(Holder, client);
        _store = store(Holder);
        Checks = new SessionChecks(Holder, _store, LeaseClock.Instance);
        var loop = new HolderLoop(Holder, _store, LeaseClock.Instance, Guid.NewGuid, Random.Shared.NextDouble, Patience, RetryAfter);
        _host = new HolderHost(loop, Checks, LeaseClock.Instance, RecheckEvery, refusal: failure => (failure as HolderRefusedException)?.Message);
        _host.Began += OnBegan;
        _host.Failing += failure => Log.Away(logger, AppName, Printable.Of(failure is HolderRefusedException ? failure.Message : failure.GetBaseException().Message, MaxReason));
        _host.WasLost += OnLost;
    }

    public Holder Holder { get; }

    public SessionChecks Checks { get; }

    /// <summary>
    /// Makes this process a holder, if it is not one yet: from now on it accepts tokens. Completes within two seconds, when it is
    /// fresh or its first attempt has failed; the attempts go on.
    /// </summary>
    public Task BeginAsync()
    {
        if (_settled is { } settled)
        {
            return settled;
        }

        lock (_starting)
        {
            if (_settled is null && _stopped is null)
            {
                // Outside the context of the request that happens to be the first, which it outlives.
                _running = Detached.Run(() => _host.RunAsync(Identity, _store.DisposeAsync, _stop.Token));
                _settled = Task.WhenAny(_host.FirstAttempt, Task.Delay(FirstFreshWithin, _stop.Token));
            }

            return _settled ?? Task.CompletedTask;
        }
    }

    /// <summary>Whether to accept a request with a valid token of this session.</summary>
    /// <exception cref="GridException">It cannot be determined, and the app is strict.</exception>
    public async ValueTask<bool> AcceptsAsync(string handle)
    {
        if (_settled is not { IsCompleted: true })
        {
            await BeginAsync();
        }

        if (!TryName(handle, out var name))
        {
            return Count(CheckResult.Unauthorised);
        }

        try
        {
            var finding = await Checks.FindAsync(name);
            return finding.Liveness switch
            {
                Liveness.Active => Count(CheckResult.Ok),
                Liveness.Ended => Count(CheckResult.Unauthorised),
                _ => AcceptUnchecked(null),
            };
        }
        catch (Exception failure) when (failure is IOException or TimeoutException or OperationCanceledException)
        {
            return AcceptUnchecked(failure);
        }
    }

    /// <summary>Counts a check.</summary>
    /// <returns>Whether it is one that accepts.</returns>
    public bool Count(CheckResult result)
    {
        _metrics.Checked(CheckDoor.Service, result);
        return result == CheckResult.Ok;
    }

    /// <summary>Whether a signing key was revoked.</summary>
    public bool IsRevokedKey(string kid) => Holder.RevokedKeys.Contains(_store.App, kid);

    /// <summary>Signals when a session ends; dispose it when you no longer need it.</summary>
    public SessionWatch Watch(string handle)
    {
        if (!TryName(handle, out var name))
        {
            throw new ArgumentException($"'{handle}' is no session handle.", nameof(handle));
        }

        _ = BeginAsync();
        var watch = Checks.Watch(name);
        if (name.App.Length == 0)
        {
            // The app's name may have become known in the meantime.
            Holder.NameWatches(_store.App);
        }

        return watch;
    }

    // Nothing yet: it starts with the first token.
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_starting)
        {
            return _stopped ??= Task.Run(LeaveAsync, CancellationToken.None);
        }
    }

    // Also without a host, or if the host was not stopped.
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stop.Dispose();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    // The silo decides on the lease.
    private static HolderRow Identity() => new()
    {
        Incarnation = Guid.Empty,
        Kind = HolderKind.Service,
        Name = $"{AppDomain.CurrentDomain.FriendlyName} on {Environment.MachineName}",
        Address = "",
        Lease = LeaseTerms.Standard.Lease,
    };

    private static GridException Undetermined(Exception? cause) =>
        new(GridFailure.Unavailable, "Cannot determine whether the session is active: there is no connection to Grid, or Grid has none to its store.", cause);

    /// <summary>Converts a handle to a session's name.</summary>
    /// <returns>False if the text is not a handle.</returns>
    private bool TryName(string handle, out SessionName name)
    {
        var isHandle = SessionHandleText.TryParse(handle, out var id, out var tenantId);
        name = isHandle ? new SessionName(_store.App, tenantId!, id) : default;
        return isHandle;
    }

    // Before Grid has said it, the client's name tells which of several it is.
    private string AppName => _store.App.Length > 0 ? Printable.Of(_store.App) : _client is { Length: > 0 } client ? Printable.Of(client) : "not known yet";

    private bool AcceptUnchecked(Exception? failure)
    {
        if (!_store.IsBounded)
        {
            Count(CheckResult.Unavailable);
            throw Undetermined(failure);
        }

        _metrics.AcceptedUnchecked();
        return Count(CheckResult.Ok);
    }

    private async Task LeaveAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private void OnBegan()
    {
        Log.Connected(_logger, AppName);
        Holder.NameWatches(_store.App);
    }

    private void OnLost(bool isFailing)
    {
        if (!isFailing && _store.Goodbye is { } why)
        {
            Log.Ended(_logger, AppName, Printable.Of(why, MaxReason));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4100, LogLevel.Information, "Connected to Grid (app {App}): sessions are checked locally, and revocations take effect at once")]
        public static partial void Connected(ILogger logger, string app);

        [LoggerMessage(4102, LogLevel.Warning, "Grid ended the connection (app {App}): {Reason}. This service reconnects and looks its sessions up again")]
        public static partial void Ended(ILogger logger, string app, string reason);

        [LoggerMessage(4101, LogLevel.Warning, "There is no connection to Grid (app {App}; {Reason}). Known sessions are accepted until the lease runs out; retrying")]
        public static partial void Away(ILogger logger, string app, string reason);
    }
}
