using System.CommandLine;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Grains.SigningKeys;
using Grid.Hosting.Settings;
using Grid.Revocation.Registry;
using Grid.Silo.Installation;
using Grid.Storage;
using Grid.Tokens.SigningKeys;

namespace Grid.Silo.Commands;

/// <summary><c>grid keys rotate-encryption-key</c>: from the key of <c>Grid:Keys:PreviousEncryptionKeyFile</c> to that of <c>Grid:Keys:EncryptionKeyFile</c>.</summary>
/// <remarks>Silos seal with the key that made the canary. So the canary changes first, and what was sealed before is sealed anew after that.</remarks>
internal static class Keys
{
    // Longer than a silo believes which key it is.
    private static readonly TimeSpan SilosFollow = TimeSpan.FromSeconds(4);

    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var rotate = new Command("rotate-encryption-key", "Seal all stored keys with Grid:Keys:EncryptionKeyFile instead of Grid:Keys:PreviousEncryptionKeyFile. Every silo must hold both. Can be repeated.");
        rotate.TreatUnmatchedTokensAsErrors = false;
        rotate.SetAction((parse, _) => guarded(() => StoreVerb.RunAsync(Overrides.Of(parse), RotateAsync)));
        return new Command("keys", "Keys.") { rotate };
    }

    private static async Task<int> RotateAsync(GridSettings settings, IServiceProvider services)
    {
        var store = services.GetRequiredService<IInstallationStore>();
        var record = await store.ReadAsync(CancellationToken.None)
            ?? throw new SettingsException("This database has no key yet: start Grid on it once.");
        var (protector, origin) = EncryptionKeyFile.Load(settings, isNew: false);
        var current = KeyProtector.KeyIdOf(record.Canary);
        if (!protector.OpensCanary(record.Canary))
        {
            throw new SettingsException(
                $"The database's key-encryption key has the id {current}, and neither {origin} nor Grid:Keys:PreviousEncryptionKeyFile is it (ids {string.Join(", ", protector.KeyIds)}). Set Grid:Keys:PreviousEncryptionKeyFile to the key {current}.");
        }

        // An embedded file is this process's own by now: there is no silo.
        var isCluster = settings.Store.Engine == StoreEngine.PostgreSql;
        if (current != protector.KeyId)
        {
            var registry = services.GetRequiredService<IHolderRegistry>();
            if (isCluster)
            {
                await RequireAllHoldAsync(registry, store, protector.KeyId);
            }

            var canary = protector.SealCanary();
            if (!await store.ReplaceCanaryAsync(record.Canary, canary, CancellationToken.None))
            {
                throw new SettingsException("Another process changed the key at the same time. Find out which, then run this again.");
            }

            if (isCluster)
            {
                await Task.Delay(SilosFollow);
                try
                {
                    await RequireAllHoldAsync(registry, store, protector.KeyId);
                }
                catch (SettingsException)
                {
                    // A silo that was starting meanwhile; nothing has been sealed with the new key yet.
                    await store.ReplaceCanaryAsync(canary, record.Canary, CancellationToken.None);
                    throw;
                }
            }

            Console.Out.WriteLine($"key {protector.KeyId} seals from now on, in place of {current}");
        }

        return await RewrapAsync(store, services.GetRequiredService<IImportStore>(), protector, isCluster);
    }

    private static async Task<int> RewrapAsync(IInstallationStore store, IImportStore imports, KeyProtector protector, bool isCluster)
    {
        using var keys = new StoredKeys();
        var (changed, apps) = (0, new HashSet<string>(StringComparer.Ordinal));
        HashSet<(string App, string Kid)> unreadable = [];
        for (var quiet = 0; quiet < (isCluster ? 2 : 1);)
        {
            var before = changed;

            // First those that wait for their app: it may take them in, as they are, until its own are looked at.
            var staged = await StagedKeys.RewrapAsync(imports, protector);
            changed += staged.Changed.Count;
            apps.UnionWith(staged.Changed);
            unreadable.UnionWith(staged.Unreadable);
            var wasBusy = staged.WasBusy;
            foreach (var row in await store.ReadKeysAsync(CancellationToken.None))
            {
                var (payload, count, lost) = keys.Rewrap(row, protector);
                unreadable.UnionWith(lost.Select(kid => (row.App, kid)));

                // False: the app's grain wrote meanwhile. The next round sees it.
                if (payload is null || await store.ReplaceKeysAsync(row, payload, CancellationToken.None))
                {
                    changed += count;
                    if (count > 0)
                    {
                        apps.Add(row.App);
                    }
                }
                else
                {
                    wasBusy = true;
                }
            }

            // A silo that read the canary just before the change may still be writing: done when two rounds in a row find nothing.
            quiet = changed == before && !wasBusy ? quiet + 1 : 0;
            if (isCluster)
            {
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }

        Console.Out.WriteLine($"sealed {changed} keys of {apps.Count} apps anew with key {protector.KeyId}");
        foreach (var (app, kid) in unreadable)
        {
            Console.Out.WriteLine($"not opened by any key at hand, left as it was: {kid} of app {app}");
        }

        return 0;
    }

    private static async Task RequireAllHoldAsync(IHolderRegistry registry, IInstallationStore store, string keyId)
    {
        var live = await LiveSilos.FindAsync(registry);
        var announced = (await store.ReadAnnouncedAsync(CancellationToken.None)).ToDictionary(silo => silo.Address, silo => silo.KeyIds.Split(','));
        var lacking = live.Where(row => !announced.TryGetValue(row.Address, out var ids) || !ids.Contains(keyId)).Select(row => $"{row.Name} at {row.Address}").ToList();
        if (lacking.Count > 0)
        {
            throw new SettingsException(
                $"Refused: {string.Join(", ", lacking)} would not open what the key {keyId} seals. Start every silo with Grid:Keys:EncryptionKeyFile set to that key and Grid:Keys:PreviousEncryptionKeyFile to the present one, one after the other, and run it again.");
        }
    }
}
