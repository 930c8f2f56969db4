using Grid.Abstractions.Apps;
using Grid.Tokens.SigningKeys;

namespace Grid.Abstractions.SigningKeys;

/// <summary>This silo's copies of the apps' keys, opened and ready.</summary>
public interface IKeyRings
{
    /// <summary>The app's keys; from memory but for the first time and when a change is due.</summary>
    /// <exception cref="StoreUnavailableException">Never loaded, and the store is away.</exception>
    ValueTask<KeyRing> GetAsync(AppSnapshot app, CancellationToken cancellationToken);

    /// <summary>Loads again because a token names an unknown key; at most once a second per app, else the same ring comes back.</summary>
    ValueTask<KeyRing> ReloadAsync(AppSnapshot app, CancellationToken cancellationToken);
}
