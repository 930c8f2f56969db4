using System.Security.Cryptography;
using System.Text;
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
                    KeyKind.ImportedRefresh => terms.LastExpiry + terms.RefreshTokenValidity,
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

/// <summary>What imported keys last by.</summary>
/// <param name="Now">The present.</param>
/// <param name="AccessTokenValidity">The installation's.</param>
/// <param name="RefreshTokenValidity">The installation's.</param>
/// <param name="LastExpiry">When the last of the original's sessions expires.</param>
internal sealed record ImportedKeyTerms(DateTimeOffset Now, TimeSpan AccessTokenValidity, TimeSpan RefreshTokenValidity, DateTimeOffset LastExpiry);
