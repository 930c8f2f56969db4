using Grid.Grains.Silos;
using Grid.Revocation;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Outages;
using Grid.Revocation.Relay;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Holders;

/// <summary>Hands entries to the holders of a silo and to the services that are connected to it. Addresses are silo addresses.</summary>
internal sealed partial class SiloTransport(
    Holder holder, HolderRelay relay, SiloBroadcast silos, ILocalSiloDetails here, TimeProvider clock, ILogger<SiloTransport> logger) : IHolderTransport, IDisposable
{
    // A silo that died is tried for every revocation until its lease has run out.
    private readonly OutageTally _silent = new(
        clock,
        (silo, failure) => Log.NotConfirmed(logger, failure, silo),
        more => Log.StillNotConfirmed(logger, more.Count, more.Kinds),
        _ => { });

    public async Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken)
    {
        var silo = SiloAddress.FromParsableString(address);
        if (silo.Equals(here.SiloAddress))
        {
            return await ApplyHereAsync(entries);
        }

        try
        {
            return await silos.RevokedAsync(silo, [.. entries]);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            _silent.Met(address, failure);
            return [];
        }
    }

    /// <summary>What a silo does with entries that it is handed.</summary>
    /// <returns>Incarnations that refuse from now on what the entries end.</returns>
    public async Task<IReadOnlyCollection<Guid>> ApplyHereAsync(IReadOnlyList<RevocationEntry> entries)
    {
        // Named before it is told: one that begins after this has read the store after the commit, but nobody waits for it either.
        var incarnation = holder.Incarnation;
        var services = relay.PushAsync(entries, LeaseClock.Instance);
        holder.Apply(entries);
        IReadOnlyCollection<Guid> confirmed = await services;
        return incarnation is { } own ? [own, .. confirmed] : confirmed;
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
