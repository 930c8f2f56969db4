using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.CoreApi;

/// <summary>
/// Asks once, beside the start, whether the core API is at the connection URI: a key that is refused, or another server (mostly the
/// front's port), is said then and not only with the first request. That nobody answers is not said here: Grid may start later.
/// </summary>
internal sealed partial class CoreApiCheck(IHttpClientFactory http, IOptions<GridClientOptions> options, ILogger<CoreApiCheck> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Completes with the answer.</summary>
    public Task Asked { get; private set; } = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Asked = Task.Run(AskAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Asked;
    }

    public void Dispose() => _stop.Dispose();

    private async Task AskAsync()
    {
        try
        {
            var answer = await new CoreApiClient(http, options.Value).GetAsync("/apiversion", CoreAnswerJson.Default.VersionsAnswer, _stop.Token);
            if (!answer.Versions.AllNeeded().Contains(CoreApiClient.CdiVersion))
            {
                Log.OtherVersion(logger, options.Value.ConnectionUri!, CoreApiClient.CdiVersion);
            }
        }
        catch (GridException failure) when (failure.Reason == GridFailure.Refused)
        {
            Log.NotTheCoreApi(logger, failure.Message);
        }
        catch (Exception)
        {
            // Not there, not ready, or stopping; and what an added handler throws is met again by the first call.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4103, LogLevel.Error, "{Problem}")]
        public static partial void NotTheCoreApi(ILogger logger, string problem);

        [LoggerMessage(4104, LogLevel.Error, "Grid at {ConnectionUri} does not speak version {Version} of the core API, which this service needs: update Grid")]
        public static partial void OtherVersion(ILogger logger, Uri connectionUri, string version);
    }
}
