using System.Security.Cryptography;
using System.Text;
using Grid.Abstractions.Importing;
using Grid.Abstractions.SigningKeys;
using Grid.Storage.Importing;
using Grid.Tokens.SigningKeys;

namespace Grid.Hosting.Importing;

/// <summary>Takes the keys of a SuperTokens core in, sealed and under their own ids. They verify what they signed; of them only the static key goes on signing.</summary>
internal static class ImportedKeys
{
    // Every client holds all that an app publishes, and an app's own need room (64 at most): a core that rotates every week keeps two or three.
    private const int MaxDynamic = 40;

    // A token ends by its own expiry, mostly an hour away. A key that lives a little longer lets an import be made some days before the switch.
    private static readonly TimeSpan KeepDynamic = TimeSpan.FromDays(7);

    /// <summary>Seals what an app has not had yet, and what waits for it under a key-encryption key that the installation has left since.</summary>
    /// <param name="imports">Where they wait.</param>
    /// <param name="app">Text of its key.</param>
    /// <param name="keys">The app's, as the original has them, newest first.</param>
    /// <param name="sealer">Seals with the installation's key.</param>
    /// <param name="terms">How long they last.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ImportSourceException">One of them is no key.</exception>
    public static async Task<NewKeys> PrepareAsync(
        IImportStore imports, string app, IEnumerable<SuperTokensKey> keys, KeyProtector sealer, ImportedKeyTerms terms, CancellationToken cancellationToken)
    {
        var known = await imports.ReadKeyIdsAsync(app, cancellationToken);
        var stale = (await imports.ReadStagedKeysAsync(app, cancellationToken)).Where(key => KeyProtector.KeyIdOf(key.Secret) != sealer.KeyId)
            .ToDictionary(key => key.Kid, key => key.Secret, StringComparer.Ordinal);
        return new NewKeys(app, Seal(app, keys, known.Except(stale.Keys).ToHashSet(StringComparer.Ordinal), sealer, terms), stale, known);
    }

    /// <summary>Lays them ready.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> StageAsync(IImportStore imports, NewKeys keys, CancellationToken cancellationToken)
    {
        var count = await imports.StageKeysAsync(keys.App, [.. keys.Sealed.Where(key => !keys.Stale.ContainsKey(key.Kid))], cancellationToken);
        foreach (var key in keys.Sealed)
        {
            // As the app could not open it, nobody has it yet; false means that another import was faster.
            if (keys.Stale.TryGetValue(key.Kid, out var former) && await imports.ReplaceStagedKeyAsync(keys.App, key, former, cancellationToken))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>Keys of one app, ready to be laid down.</summary>
    /// <param name="app">Text of its key.</param>
    /// <param name="keys">The app's, as the original has them, newest first.</param>
    /// <param name="known">Ids that came before: they are left out.</param>
    /// <param name="sealer">Seals with the installation's key.</param>
    /// <param name="terms">How long they last.</param>
    /// <exception cref="ImportSourceException">One of them is no key.</exception>
    public static IReadOnlyList<StoredKey> Seal(string app, IEnumerable<SuperTokensKey> keys, IReadOnlySet<string> known, KeyProtector sealer, ImportedKeyTerms terms)
    {
        List<StoredKey> taken = [];
        var dynamic = 0;
        var signs = true;
        foreach (var key in keys)
        {
            // The newest static one signs from now on, since services may pin it; it stays the only one of them that does.
            var isSigner = key.Kind == SuperTokensKeyKind.Static && signs;
            signs &= key.Kind != SuperTokensKeyKind.Static;
            if (known.Contains(key.Kid) || (key.Kind == SuperTokensKeyKind.Dynamic && ++dynamic > MaxDynamic))
            {
                continue;
            }

            var kind = key.Kind switch
            {
                SuperTokensKeyKind.Dynamic => KeyKind.Dynamic,
                SuperTokensKeyKind.Static => KeyKind.Static,
                _ => KeyKind.ImportedRefresh,
            };
            var secret = kind == KeyKind.ImportedRefresh ? Secret(app, key) : Private(app, key);
            taken.Add(new StoredKey
            {
                Kid = key.Kid,
                Kind = kind,

                // A rotating key of the app's own has begun later than this, so none of these is ever the one that signs.
                SignsFrom = isSigner ? terms.Now : DateTimeOffset.UnixEpoch,
                VerifiesUntil = kind switch
                {
                    KeyKind.Dynamic => terms.Now + (KeepDynamic > 2 * terms.AccessTokenValidity ? KeepDynamic : 2 * terms.AccessTokenValidity),
                    KeyKind.ImportedRefresh => terms.LastExpiry < DateTimeOffset.MaxValue - terms.RefreshTokenValidity ? terms.LastExpiry + terms.RefreshTokenValidity : DateTimeOffset.MaxValue,
                    _ => null,
                },
                Secret = sealer.Seal(app, key.Kid, (int)kind, secret),
            });
            CryptographicOperations.ZeroMemory(secret);
        }

        return taken;
    }

    private static byte[] Secret(string app, SuperTokensKey key) => key.Value.Length > 0
        ? Encoding.UTF8.GetBytes(key.Value)
        : throw new ImportSourceException($"The key of refresh tokens of app {app} is empty in the original's database.", isAway: false);

    private static byte[] Private(string app, SuperTokensKey key)
    {
        // Rotating keys have a semicolon between the parts, static ones a bar; keys that were moved by hand keep theirs.
        if (key.Value.Split(';', '|') is [_, var text])
        {
            var secret = new byte[text.Length];
            using var rsa = RSA.Create();
            try
            {
                if (Convert.TryFromBase64String(text, secret, out var length))
                {
                    rsa.ImportPkcs8PrivateKey(secret.AsSpan(0, length), out _);
                    if (rsa.KeySize >= 2048)
                    {
                        return secret[..length];
                    }
                }
            }
            catch (CryptographicException)
            {
                // As if it were no base64.
            }
        }

        throw new ImportSourceException($"Key {key.Kid} of app {app} is no RSA key of at least 2048 bits as SuperTokens keeps them (public and private part in base64).", isAway: false);
    }
}

/// <summary>Keys of an app that come.</summary>
/// <param name="App">Text of its key.</param>
/// <param name="Sealed">Those that are new, and those that are sealed anew.</param>
/// <param name="Stale">The present boxes of the latter, by id.</param>
/// <param name="Known">Ids of all that ever came before.</param>
internal sealed record NewKeys(string App, IReadOnlyList<StoredKey> Sealed, IReadOnlyDictionary<string, byte[]> Stale, IReadOnlySet<string> Known);

/// <summary>What imported keys last by.</summary>
/// <param name="Now">The present.</param>
/// <param name="AccessTokenValidity">The installation's.</param>
/// <param name="RefreshTokenValidity">The installation's.</param>
/// <param name="LastExpiry">When the last of the original's sessions expires.</param>
internal sealed record ImportedKeyTerms(DateTimeOffset Now, TimeSpan AccessTokenValidity, TimeSpan RefreshTokenValidity, DateTimeOffset LastExpiry);
