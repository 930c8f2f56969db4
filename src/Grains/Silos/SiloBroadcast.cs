using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;
using Grid.Revocation.Outages;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace Grid.Grains.Silos;

/// <summary>Announces changes to the silos. Correctness does not depend on it: it makes changes visible sooner.</summary>
internal sealed partial class SiloBroadcast(IServiceProvider services, ISiloStatusOracle membership, TimeProvider clock, ILogger<SiloBroadcast> logger)
    : GrainServiceClient<ISiloListener>(services), IDisposable
{
    private readonly OutageTally _silent = new(
        clock,
        (silo, failure) => Log.NotHeard(logger, failure, silo),
        more => Log.StillNotHeard(logger, more.Count, more.Kinds),
        _ => { });

    // A silo that has just died is still in the membership table; the caller must not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Tells every active silo, and waits up to a second for each.</summary>
    public Task AppChangedAsync(AppKey? app) => TellAsync(listener => listener.AppChangedAsync(app));

    /// <summary>Tells every active silo except this one, and waits up to a second for each.</summary>
    public Task SessionsChangedAsync(ImmutableArray<SessionName> sessions) =>
        TellAsync(listener => listener.SessionsChangedAsync(sessions), but: membership.SiloAddress);

    private Task TellAsync(Func<ISiloListener, Task> tell, SiloAddress? but = null) => Task.WhenAll(
        membership.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(silo => !silo.Equals(but)).Select(silo => TellOneAsync(silo, tell)));

    private async Task TellOneAsync(SiloAddress silo, Func<ISiloListener, Task> tell)
    {
        try
        {
            await tell(GetGrainService(silo)).WaitAsync(Patience, clock);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            _silent.Met(silo.ToString(), failure);
        }
    }

    public void Dispose() => _silent.Dispose();

    private static partial class Log
    {
        [LoggerMessage(2200, LogLevel.Information, "Silo {Silo} did not confirm a broadcast; it will catch up from the store. Further ones are counted")]
        public static partial void NotHeard(ILogger logger, Exception? failure, string silo);

        [LoggerMessage(2201, LogLevel.Information, "{Count} more broadcasts were not confirmed (by silo: {Silos})")]
        public static partial void StillNotHeard(ILogger logger, long count, string silos);
    }
}
