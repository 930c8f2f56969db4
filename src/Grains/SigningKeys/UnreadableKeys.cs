using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.SigningKeys;

/// <summary>Stored keys that this silo could not open. They are skipped, and reported to the operator.</summary>
public sealed partial class UnreadableKeys(ILogger<UnreadableKeys> logger)
{
    private readonly ConcurrentDictionary<AppKey, ImmutableArray<string>> _byApp = new();

    /// <summary>Key ids by app.</summary>
    public IReadOnlyDictionary<AppKey, ImmutableArray<string>> ByApp => _byApp;

    /// <summary>Replaces an app's entry; each key is logged once.</summary>
    /// <param name="app">The app.</param>
    /// <param name="keys">Its keys that could not be opened: key id, and id of the key-encryption key that sealed it.</param>
    internal void Note(AppKey app, IReadOnlyList<(string Kid, string KeyId)> keys)
    {
        if (keys.Count == 0)
        {
            _byApp.TryRemove(app, out _);
            return;
        }

        _byApp.TryGetValue(app, out var known);
        foreach (var (kid, keyId) in keys)
        {
            if (known.IsDefault || !known.Contains(kid))
            {
                Log.Unreadable(logger, kid, app.ToString(), keyId);
            }
        }

        _byApp[app] = [.. keys.Select(key => key.Kid)];
    }

    private static partial class Log
    {
        [LoggerMessage(2402, LogLevel.Error,
            "Key {Kid} of app {App} cannot be decrypted and is skipped: it was encrypted with key-encryption key {KeyId}, or is damaged. Give this silo that key as Grid:Keys:PreviousEncryptionKeyFile, or replace {Kid} by POST /session/revoke with \"signingKey\"")]
        public static partial void Unreadable(ILogger logger, string kid, string app, string keyId);
    }
}
