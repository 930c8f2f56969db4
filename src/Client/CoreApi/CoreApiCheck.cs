using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.Client.CoreApi;

/// <summary>
/// Checks once, in the background at startup, that the connection URI leads to the core API: a rejected key or the wrong server (usually
/// the front's port) is reported then, not with the first request. No answer at all is not reported: Grid may start later.
/// </summary>
internal sealed partial class CoreApiCheck(IHttpClientFactory http, IOptions<GridClientOptions> options, ILogger<CoreApiCheck> logger, string client = "") : IHostedService, IDisposable
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
            var answer = await new CoreApiClient(http, options.Value, client).GetAsync("/apiversion", CoreAnswerJson.Default.VersionsAnswer, _stop.Token);
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
            // Not there, not ready, or stopping; an exception from a custom handler will recur on the first call.
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
