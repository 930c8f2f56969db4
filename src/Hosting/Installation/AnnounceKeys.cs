using Grid.Abstractions;
using Grid.Abstractions.Installation;
using Grid.Tokens.SigningKeys;

namespace Grid.Hosting.Installation;

/// <summary>Tells the store which key-encryption keys this silo holds, so that the key is never changed to one that a silo lacks.</summary>
internal sealed partial class AnnounceKeys(IInstallationStore store, KeyProtector protector, ILocalSiloDetails here, ILogger<AnnounceKeys> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.AnnounceAsync(here.SiloAddress.ToParsableString(), string.Join(',', protector.KeyIds), cancellationToken);
        }
        catch (StoreUnavailableException failure)
        {
            // Until the next start the key cannot be changed, and the verb says why.
            Log.NotAnnounced(logger, failure);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.AnnounceAsync(here.SiloAddress.ToParsableString(), null, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // Left behind it means nothing: only the keys of living silos are asked for.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1007, LogLevel.Warning, "The store was unavailable when this silo announced its key-encryption keys; 'grid keys rotate-encryption-key' is refused until this silo is restarted")]
        public static partial void NotAnnounced(ILogger logger, Exception failure);
    }
}
