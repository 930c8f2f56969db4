using System.Collections.Immutable;
using Grid.Tokens;

namespace Grid.Abstractions.Apps;

/// <summary>The installation's own settings as they are now: what apps have that set nothing. Its API keys may change while it runs, nothing else does.</summary>
/// <param name="first">As the start found them.</param>
public sealed class InstallationDefaults(AppDefaults first)
{
    private volatile AppDefaults _now = first;

    /// <summary>As they are now. Another object after each change.</summary>
    public AppDefaults Now => _now;

    /// <summary>Accepts these keys from now on, and no others.</summary>
    /// <param name="hashes">One at least: none would open an installation that was locked.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public void ReplaceApiKeys(ImmutableArray<TokenHash> hashes)
    {
        if (hashes.IsDefaultOrEmpty)
        {
            throw new ArgumentException("There must be one API key at least.", nameof(hashes));
        }

        _now = _now with { ApiKeyHashes = hashes };
    }
}
