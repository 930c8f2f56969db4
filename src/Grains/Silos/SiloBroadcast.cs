using Grid.Abstractions.Apps;
using Grid.Grains.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace Grid.Grains.Silos;

/// <summary>Tells every live silo, and waits a moment for each. Nobody's correctness rests on it: it makes news travel faster.</summary>
internal sealed partial class SiloBroadcast(IServiceProvider services, ISiloStatusOracle membership, TimeProvider clock, ILogger<SiloBroadcast> logger)
    : GrainServiceClient<ISiloListener>(services)
{
    // A silo that died a moment ago is still in the table; the caller should not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public Task SessionsEndedAsync(SessionsEnded ended) => TellAsync(listener => listener.SessionsEndedAsync(ended));

    public Task AppChangedAsync(AppKey? app) => TellAsync(listener => listener.AppChangedAsync(app));

    private Task TellAsync(Func<ISiloListener, Task> tell) => Task.WhenAll(
        membership.GetApproximateSiloStatuses(onlyActive: true).Keys.Select(silo => TellAsync(silo, tell)));

    private async Task TellAsync(SiloAddress silo, Func<ISiloListener, Task> tell)
    {
        try
        {
            await tell(GetGrainService(silo)).WaitAsync(Patience, clock);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            Log.NotHeard(logger, failure, silo.ToString());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2200, LogLevel.Information, "Silo {Silo} did not confirm a broadcast; it will find out by itself")]
        public static partial void NotHeard(ILogger logger, Exception failure, string silo);
    }
}
