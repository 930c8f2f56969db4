using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace Grid.Grains.Silos;

/// <summary>Speaks to the silos one by one. Nobody's correctness rests on it: it makes news travel faster.</summary>
internal sealed partial class SiloBroadcast(IServiceProvider services, ISiloStatusOracle membership, TimeProvider clock, ILogger<SiloBroadcast> logger)
    : GrainServiceClient<ISiloListener>(services)
{
    // A silo that died a moment ago is still in the table; the caller should not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Hands revocations to one silo.</summary>
    /// <returns>Incarnations that refuse from now on what they end; none if it did not answer.</returns>
    public async Task<ImmutableArray<Guid>> RevokedAsync(SiloAddress silo, ImmutableArray<RevocationEntry> entries) =>
        membership.GetApproximateSiloStatus(silo) == SiloStatus.Dead ? [] : await GetGrainService(silo).RevokedAsync(entries);

    /// <summary>Tells every live silo, and waits a moment for each.</summary>
    public Task AppChangedAsync(AppKey? app) => TellAsync(listener => listener.AppChangedAsync(app));

    /// <summary>Tells every live silo but this one, and waits a moment for each.</summary>
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
            Log.NotHeard(logger, failure, silo.ToString());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2200, LogLevel.Information, "Silo {Silo} did not confirm a broadcast; it will find out by itself")]
        public static partial void NotHeard(ILogger logger, Exception failure, string silo);
    }
}
