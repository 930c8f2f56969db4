using Grid.Abstractions;
using Grid.Abstractions.Installation;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <summary>Which key-encryption key the installation seals with: the one that made its canary, regardless of the order in this silo's settings.</summary>
/// <remarks>
/// What is sealed with another key is lost to every other silo, for good. So no silo seals by its settings alone; and
/// while the key is being changed, silos that have both follow the store within seconds.
/// </remarks>
internal sealed class InstallationKey(KeyProtector protector, IInstallationStore store, TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(3);

    private volatile Known? _known;

    /// <summary>The installation's present sealer.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable, or this silo does not have the installation's key.</exception>
    public async Task<KeyProtector> SealerAsync()
    {
        var record = await store.ReadAsync(CancellationToken.None) ?? throw new StoreUnavailableException("The installation's record is gone from the store.");
        var keyId = KeyProtector.KeyIdOf(record.Canary);
        _known = new Known(keyId, clock.GetTimestamp());
        return protector.OpensCanary(record.Canary) && protector.SealingWith(keyId) is { } sealer
            ? sealer
            : throw new StoreUnavailableException($"This silo does not hold the installation's key-encryption key {keyId}: nothing may be sealed here.");
    }

    /// <summary>The id of the installation's key, at most some seconds old.</summary>
    public async ValueTask<string> IdAsync()
    {
        if (_known is { } known && clock.GetElapsedTime(known.At) < Remembered)
        {
            return known.KeyId;
        }

        var record = await store.ReadAsync(CancellationToken.None);
        var keyId = record is null ? protector.KeyId : KeyProtector.KeyIdOf(record.Canary);
        _known = new Known(keyId, clock.GetTimestamp());
        return keyId;
    }

    private sealed record Known(string KeyId, long At);
}
