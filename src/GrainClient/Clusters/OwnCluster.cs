using Grid.Client;
using Grid.GrainDoors;
using Grid.GrainDoors.Certificates;
using Grid.Revocation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Messaging;
using Orleans.Serialization;

namespace Grid.GrainClient.Clusters;

/// <summary>Reached by an Orleans client of its own, with services of its own: it disturbs neither a silo nor another client in the same program.</summary>
/// <remarks>Connects in the background and for ever. Once it was connected Orleans finds the silos again by itself, also after all of them were replaced.</remarks>
internal sealed partial class OwnCluster : ICluster, IHostedService, IClientConnectionRetryFilter, IAsyncDisposable, IDisposable
{
    private const string ServiceId = "grid";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // How soon silos that came are used, and one that could not be reached is tried again.
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(2);

    private readonly GridGrainClientOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger<OwnCluster> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _starting = new();
    private readonly TaskCompletionSource<IClusterClient> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _running;
    private readonly PeerCertificates? _certificates;
    private Exception? _failure;
    private readonly Refusal _refusal = new();
    private volatile bool _isAway;
    private bool _isDisposed;

    public OwnCluster(IOptions<GridGrainClientOptions> options, ILoggerFactory loggers, ILogger<OwnCluster> logger, TimeProvider clock)
    {
        (_options, _loggers, _logger) = (options.Value, loggers, logger);
        if (_options.Certificates() is { } files)
        {
            _certificates = new PeerCertificates(files, isSilo: false, clock);
            _certificates.Changed += own => Log.CertificateInUse(_logger, own.Subject, new DateTimeOffset(own.NotAfter.ToUniversalTime()));
            _certificates.Unusable += why => Log.CertificateUnusable(_logger, why);
        }
    }

    public GatewayLosses Losses { get; } = new();

    public ValueTask<IGrainFactory> ConnectedAsync(CancellationToken cancellationToken) =>
        _connected.Task is { IsCompletedSuccessfully: true } connected ? new(connected.Result) : FirstConnectedAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Begin();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_isDisposed)
        {
            return;
        }

        await _stop.CancelAsync();
        Task? running;
        lock (_starting)
        {
            running = _running ??= Task.CompletedTask;
        }

        await running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Also where there is no host, or it was not stopped.
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _isDisposed = true;
        _stop.Dispose();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        _failure = exception;
        Away(_refusal.Why ?? exception.GetBaseException().Message);
        _failed.TrySetResult();
        await Task.Delay(RetryAfter, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !cancellationToken.IsCancellationRequested;
    }

    // A program without a host begins with its first call.
    private void Begin()
    {
        lock (_starting)
        {
            if (_running is null)
            {
                _running = Detached.Run(RunAsync);
            }
        }
    }

    // The first call waits for the first connection; as soon as an attempt has failed calls are told.
    private async ValueTask<IGrainFactory> FirstConnectedAsync(CancellationToken cancellationToken)
    {
        Begin();
        var connected = _connected.Task;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        limit.CancelAfter(_options.Timeout);
        await Task.WhenAny(connected, _failed.Task, Task.Delay(Timeout.Infinite, limit.Token));
        cancellationToken.ThrowIfCancellationRequested();
        return connected.IsCompletedSuccessfully ? connected.Result : throw new GridException(
            GridFailure.Unavailable, _refusal.Why is { } why ? $"There is no connection to Grid's silos: {why}" : "There is no connection to Grid's silos.", _failure);
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await using var services = Build();
            List<IHostedService> hosted = [.. services.GetServices<IHostedService>()];
            try
            {
                foreach (var one in hosted)
                {
                    await one.StartAsync(_stop.Token);
                }

                _connected.TrySetResult(services.GetRequiredService<IClusterClient>());
                Back();
                await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception failure)
            {
                // What the filter is not asked about.
                if (!_stop.IsCancellationRequested)
                {
                    await ShouldRetryConnectionAttempt(failure, _stop.Token);
                }
            }

            foreach (var one in Enumerable.Reverse(hosted))
            {
                await StopAsync(one);
            }
        }
    }

    private static async Task StopAsync(IHostedService service)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await service.StopAsync(patience.Token);
        }
        catch (Exception)
        {
            // It is over either way.
        }
    }

    private void OnGatewayCountChanged(object? sender, GatewayCountChangedEventArgs change)
    {
        Losses.OnGatewayCountChanged(sender, change);
        if (!_connected.Task.IsCompleted)
        {
            // Whether the first attempt succeeds is seen elsewhere, and why not.
            return;
        }

        _refusal.OnGatewayCountChanged(change);
        if (change.NumberOfConnectedGateways == 0)
        {
            Away(_refusal.Why ?? "the last connection has ended");
        }
        else if (_isAway)
        {
            Back();
        }
    }

    private void Back()
    {
        _refusal.Clear();
        _isAway = false;
        Log.Connected(_logger, _options.ClusterId);
    }

    // Away is one state, however often it is tried.
    private void Away(string reason)
    {
        if (!_isAway && !_stop.IsCancellationRequested)
        {
            _isAway = true;
            Log.Away(_logger, _options.ClusterId, reason);
        }
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton(_loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (_options.ClusterId, ServiceId));
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = RefreshEvery);
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = _options.Timeout);
            client.Services.AddSerializer(serializer => serializer.AddAssembly(typeof(IGrainDoor).Assembly));
            client.Services.AddSingleton<IClientConnectionRetryFilter>(this);
            client.AddGatewayCountChangedHandler(_ => OnGatewayCountChanged);
            if (_options.ConnectionString is { } connection)
            {
                client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connection));
            }
            else if (_options.Gateways.Count > 0)
            {
                client.Services.AddSingleton<IGatewayListProvider>(new GatewayList([.. _options.Gateways], RefreshEvery));
            }

            if (_certificates is { } certificates)
            {
                client.UseTls(options =>
                {
                    options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
                    options.LocalClientCertificateSelector = (_, _, _, _, _) => certificates.Current;
                    options.RemoteCertificateValidation = (certificate, chain, _) =>
                    {
                        var why = certificates.WhyNot(certificate, chain, PeerRole.Silo);
                        _refusal.Judged(why);
                        return why is null;
                    };
                });
            }

            _options.ConfigureClient?.Invoke(client);
        });
        return services.BuildServiceProvider();
    }

    private static partial class Log
    {
        [LoggerMessage(4200, LogLevel.Information, "Connected to Grid's cluster {Cluster}")]
        public static partial void Connected(ILogger logger, string cluster);

        [LoggerMessage(4202, LogLevel.Information, "Grid's silos are shown the certificate {Subject} from now on, valid until {End:u}")]
        public static partial void CertificateInUse(ILogger logger, string subject, DateTimeOffset end);

        [LoggerMessage(4203, LogLevel.Warning, "The certificate's files have changed and cannot be used; what was read before is in use. {Why}")]
        public static partial void CertificateUnusable(ILogger logger, string why);

        [LoggerMessage(4201, LogLevel.Warning, "There is no connection to the silos of Grid's cluster {Cluster} ({Reason}). Calls are answered 'unavailable'; it is tried again")]
        public static partial void Away(ILogger logger, string cluster, string reason);
    }
}
