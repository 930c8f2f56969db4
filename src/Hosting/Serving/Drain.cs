using System.Runtime.InteropServices;

namespace Grid.Hosting.Serving;

/// <summary>
/// The end of a process that others still send requests to: readiness turns red first, and for a while every request is answered and
/// closes its connection, so that load balancers have moved on by the time the ports close.
/// </summary>
/// <remarks>
/// The host calls <see cref="StoppingAsync"/> before anything stops; streams end with
/// <see cref="IHostApplicationLifetime.ApplicationStopping"/>, which has come by then. Ports close before <see cref="StopAsync"/>, the
/// cluster is left after it: the server is registered after this service, Orleans before it.
/// </remarks>
internal sealed partial class Drain(TimeSpan period, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<Drain> logger) : IHostedLifecycleService
{
    private bool _isServing;
    private bool _isSkipped;
    private long _answered;

    /// <summary>What a request meets during the drain: an answer, and the end of its connection. Streams are sent elsewhere.</summary>
    public RequestDelegate Before(RequestDelegate next) => context =>
        lifetime.ApplicationStopping.IsCancellationRequested ? AnswerLastAsync(context, next) : next(context);

    /// <summary>Nobody has asked for an end, and nobody waits for it: an application that is disposed.</summary>
    public void Skip() => _isSkipped = true;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _isServing = true;
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (!_isServing)
        {
            return;
        }

        var rest = _isSkipped ? TimeSpan.Zero : period;
        Log.Draining(logger, rest);
        if (rest == TimeSpan.Zero)
        {
            return;
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => enough.Cancel());
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => enough.Cancel());
        try
        {
            await Task.Delay(rest, clock, enough.Token);
        }
        catch (OperationCanceledException)
        {
            // Asked a second time.
        }

        Log.Drained(logger, Interlocked.Read(ref _answered));
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Log.PortsClosed(logger);
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        Log.Stopped(logger);
        return Task.CompletedTask;
    }

    private Task AnswerLastAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _answered);
        var headers = context.Response.Headers;
        headers.Connection = "close";
        if (context.Request.Headers.Upgrade.Count == 0)
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        headers.RetryAfter = "1";
        return context.Response.WriteAsync("This silo is shutting down\n");
    }

    private static partial class Log
    {
        [LoggerMessage(1030, LogLevel.Information, "Shutting down: readiness is red and event streams are closed; requests are answered for another {Period}, and each answer closes its connection")]
        public static partial void Draining(ILogger logger, TimeSpan period);

        [LoggerMessage(1031, LogLevel.Information, "Drained: {Count} requests were answered since the shutdown began; closing the ports")]
        public static partial void Drained(ILogger logger, long count);

        [LoggerMessage(1032, LogLevel.Information, "Ports closed, requests in progress answered; leaving the cluster")]
        public static partial void PortsClosed(ILogger logger);

        [LoggerMessage(1033, LogLevel.Information, "Stopped")]
        public static partial void Stopped(ILogger logger);
    }
}
