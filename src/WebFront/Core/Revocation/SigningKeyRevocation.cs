using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Revocation.Acknowledgement;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Revokes signing keys.</summary>
internal sealed class SigningKeyRevocation(IGrainFactory grains, IKeyRings keyRings, Revocations revocations, TrustedClock clock)
{
    /// <summary>Revokes a signing key, and with it every access token that it signed, and creates its replacement.</summary>
    /// <param name="app">The app.</param>
    /// <param name="kid">The key.</param>
    /// <param name="actor">Who asked.</param>
    /// <returns>Null if the app has no such key.</returns>
    public async Task<RevocationReceipt?> RevokeAsync(AppSnapshot app, string kid, string actor)
    {
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        if (!ring.TryFind(kid, clock.GetUtcNow(), out _) && !ring.IsUnreadable(kid))
        {
            return null;
        }

        var keys = await grains.GetGrain<ISigningKeysGrain>(app.App.ToString())
            .ReplaceAsync(kid, app.Settings.DynamicKeyUpdateInterval, app.Settings.AccessTokenValidity, CancellationToken.None);
        if (keys is null)
        {
            throw new StoreUnavailableException("The app's keys could not be written.");
        }

        var (_, receipt) = await revocations.RevokeAsync(new RevocationScope.SigningKey { App = app.App, Kid = kid }, RevocationReason.KeyRevoked, actor);
        return receipt;
    }
}
