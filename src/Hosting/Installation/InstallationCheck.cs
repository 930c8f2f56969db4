using Grid.Abstractions;
using Grid.Abstractions.Installation;
using Grid.Grains.SigningKeys;
using Grid.Hosting.Settings;
using Grid.Storage;
using Grid.Tokens.SigningKeys;

namespace Grid.Hosting.Installation;

/// <summary>Whether this process belongs to the store that it is about to serve: asked before it joins anything or opens a port.</summary>
/// <remarks>What a silo seals with a different key than its peers is permanently unreadable to them.</remarks>
internal static class InstallationCheck
{
    /// <summary>Reads the record, or writes it if this is the first start. Loads the key-encryption key.</summary>
    /// <exception cref="SettingsException">Another key, or another cluster's store.</exception>
    /// <exception cref="StoreStartException">The store does not answer.</exception>
    public static async Task<(KeyProtector Protector, string Origin, bool IsChanging)> RunAsync(IInstallationStore store, GridSettings settings)
    {
        try
        {
            var record = await store.ReadAsync(CancellationToken.None);
            IReadOnlyList<StoredKeysRow> rows = record is null ? await store.ReadKeysAsync(CancellationToken.None) : [];
            var (protector, origin) = EncryptionKeyFile.Load(settings, isNew: record is null && rows.Count == 0);
            if (record is null)
            {
                // A store that predates the record shows by its keys which key-encryption key it uses.
                RequireOwnKeys(rows, protector, origin);
                await store.CreateAsync(new InstallationRecord { ClusterId = settings.Cluster.Id, Canary = protector.SealCanary() }, CancellationToken.None);

                // Of several first starts at once another one may have won, with other settings.
                record = await store.ReadAsync(CancellationToken.None) ?? throw new StoreStartException("The installation's record could not be read back from the store. Start again.");
            }

            if (record.ClusterId != settings.Cluster.Id)
            {
                throw new SettingsException(
                    $"The database belongs to the cluster '{record.ClusterId}', but Grid:Cluster:Id is '{settings.Cluster.Id}': two clusters over one database would wait for each other. Set Grid:Cluster:Id to '{record.ClusterId}', give this cluster a database of its own, or stop every silo and run 'grid cluster rename --to {settings.Cluster.Id}'.");
            }

            var keyId = KeyProtector.KeyIdOf(record.Canary);
            return protector.OpensCanary(record.Canary) ? (protector, origin, keyId != protector.KeyId) : throw WrongKey(keyId, protector, origin);
        }
        catch (StoreUnavailableException failure)
        {
            throw StoreStartException.StoppedAnswering(failure);
        }
    }

    private static void RequireOwnKeys(IReadOnlyList<StoredKeysRow> rows, KeyProtector protector, string origin)
    {
        if (rows.Count == 0)
        {
            return;
        }

        using var keys = new StoredKeys();
        var counts = keys.CountByKeyId(rows);
        var (mostUsed, count) = counts.MaxBy(pair => pair.Value);
        if (count > 0 && (keys.CountReadable(rows, protector) == 0 || !protector.KeyIds.Contains(mostUsed)))
        {
            throw WrongKey(mostUsed, protector, origin);
        }
    }

    private static SettingsException WrongKey(string expected, KeyProtector protector, string origin) => new(
        $"The key-encryption key from {origin} (id {protector.KeyId}) is not the one that this database was started with (id {expected}): what it sealed, no other silo could open. Set Grid:Keys:EncryptionKeyFile (or Grid:Keys:EncryptionKey) to the key {expected}; to change the key use 'grid keys rotate-encryption-key'.");
}
