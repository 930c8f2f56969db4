using Grid.Grains.Silos;
using Grid.Revocation;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Outages;
using Grid.Revocation.Relay;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Services;

namespace Grid.Grains.Holders;

/// <summary>Hands entries to the holders of a silo and to the services that are connected to it. Addresses are silo addresses.</summary>
internal sealed partial class SiloTransport(
    IServiceProvider services, Holder holder, HolderRelay relay, ISiloStatusOracle membership, TimeProvider clock, ILogger<SiloTransport> logger)
    : GrainServiceClient<ISiloListener>(services), IHolderTransport, IDisposable
{
    // A silo that has died is tried for every revocation until its lease runs out.
    private readonly OutageTally _silent = new(
        clock,
        (silo, failure) => Log.NotConfirmed(logger, failure, silo),
        more => Log.StillNotConfirmed(logger, more.Count, more.Kinds),
        _ => { });

    public async Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
    {
        var silo = SiloAddress.FromParsableString(address);
        if (silo.Equals(membership.SiloAddress))
        {
            return await relay.ApplyAsync(holder, entries, LeaseClock.Instance);
        }

        try
        {
            return membership.GetApproximateSiloStatus(silo) == SiloStatus.Dead ? [] : await GetGrainService(silo).RevokedAsync([.. entries]);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            _silent.Met(address, failure);
            return [];
        }
    }

    public void Dispose() => _silent.Dispose();

    private static partial class Log
    {
        [LoggerMessage(2705, LogLevel.Information, "Silo {Silo} did not accept a revocation; retrying until its lease runs out. Further failures are counted")]
        public static partial void NotConfirmed(ILogger logger, Exception? failure, string silo);

        [LoggerMessage(2706, LogLevel.Information, "{Count} more revocations were not accepted (by silo: {Silos})")]
        public static partial void StillNotConfirmed(ILogger logger, long count, string silos);
    }
}
