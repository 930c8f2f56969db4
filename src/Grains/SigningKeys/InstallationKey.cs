using Grid.Abstractions;
using Grid.Abstractions.Installation;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <summary>Which key-encryption key the installation seals with: the one that made its canary, whatever this silo's settings put first.</summary>
/// <remarks>
/// What is sealed with another key is lost to every other silo, and for good. So nobody seals on the word of a setting; and
/// while the key is being changed, silos that hold both follow the store within seconds.
/// </remarks>
internal sealed class InstallationKey(KeyProtector protector, IInstallationStore store, TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(3);

    private volatile Known? _known;

    /// <summary>Seals as the installation does at this moment.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or this silo does not hold the installation's key.</exception>
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
