using Grid.Abstractions.Importing;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <summary>Keys that an import laid ready and that no app has taken in yet, for operations from outside the grains.</summary>
internal static class StagedKeys
{
    /// <summary>Reseals those that another key than the sealing one of <paramref name="protector"/> sealed.</summary>
    /// <returns>The apps of those that changed; whether an app took one in meanwhile, as it was; those that do not open, which stay as they are.</returns>
    public static async Task<(IReadOnlyList<string> Changed, bool WasBusy, IReadOnlyList<(string App, string Kid)> Unreadable)> RewrapAsync(IImportStore imports, KeyProtector protector)
    {
        ArgumentNullException.ThrowIfNull(imports);
        ArgumentNullException.ThrowIfNull(protector);
        List<string> changed = [];
        List<(string, string)> unreadable = [];
        var wasBusy = false;
        foreach (var app in await imports.ReadStagedAppsAsync(CancellationToken.None))
        {
            foreach (var key in await imports.ReadStagedKeysAsync(app, CancellationToken.None))
            {
                if (KeyProtector.KeyIdOf(key.Secret) == protector.KeyId)
                {
                    continue;
                }

                try
                {
                    var secret = protector.Open(app, key.Kid, (int)key.Kind, key.Secret);
                    var anew = key with { Secret = protector.Seal(app, key.Kid, (int)key.Kind, secret) };
                    if (await imports.ReplaceStagedKeyAsync(app, anew, key.Secret, CancellationToken.None))
                    {
                        changed.Add(app);
                    }
                    else
                    {
                        wasBusy = true;
                    }
                }
                catch (KeyProtectionException)
                {
                    unreadable.Add((app, key.Kid));
                }
            }
        }

        return (changed, wasBusy, unreadable);
    }

    /// <summary>Those that do not open.</summary>
    public static async Task<IReadOnlyList<(string App, string Kid)>> FindUnreadableAsync(IImportStore imports, KeyProtector protector, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(imports);
        ArgumentNullException.ThrowIfNull(protector);
        List<(string, string)> unreadable = [];
        foreach (var app in await imports.ReadStagedAppsAsync(cancellationToken))
        {
            unreadable.AddRange((await imports.ReadStagedKeysAsync(app, cancellationToken))
                .Where(key => !protector.Opens(app, key.Kid, (int)key.Kind, key.Secret)).Select(key => (app, key.Kid)));
        }

        return unreadable;
    }
}
