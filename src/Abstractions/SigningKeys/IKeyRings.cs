using Grid.Abstractions.Apps;
using Grid.Tokens.SigningKeys;

namespace Grid.Abstractions.SigningKeys;

/// <summary>This silo's copies of the apps' keys, opened and ready.</summary>
public interface IKeyRings
{
    /// <summary>The app's keys: from memory, except for the first time and when a change is due.</summary>
    /// <exception cref="StoreUnavailableException">They were never loaded, and the store is unavailable.</exception>
    ValueTask<KeyRing> GetAsync(AppSnapshot app, CancellationToken cancellationToken);

    /// <summary>Loads again because a token names an unknown key; at most once a second per app, otherwise returns the same ring.</summary>
    ValueTask<KeyRing> ReloadAsync(AppSnapshot app, CancellationToken cancellationToken);
}
