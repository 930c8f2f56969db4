using System.Collections.Immutable;
using System.Text;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;
using Grid.Revocation.Holders;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <inheritdoc cref="IKeyRings"/>
internal sealed class KeyRings : IKeyRings
{
    private readonly IGrainFactory _grains;
    private readonly KeyProtector _protector;
    private readonly UnreadableKeys _unreadable;
    private readonly Holder _holder;
    private readonly FreshCopies<AppKey, AppSnapshot, Held> _rings;

    public KeyRings(IGrainFactory grains, KeyProtector protector, UnreadableKeys unreadable, Holder holder, TimeProvider clock)
    {
        (_grains, _protector, _unreadable, _holder) = (grains, protector, unreadable, holder);

        // A ring knows until when each of its keys is valid, and the revocation of a key drops its app's ring. So the ring stays usable
        // however long the grain does not answer.
        _rings = new(clock, new CopyRules<Held>(ring => ring.FreshFor, TimeSpan.MaxValue, "The app's keys could not be read."), ReadAsync);
    }

    public ValueTask<KeyRing> GetAsync(AppSnapshot app, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        return _rings.TryGetFresh(app.App, out var held) ? new ValueTask<KeyRing>(held.Ring) : RingAsync(_rings.GetAsync(app.App, app));
    }

    public ValueTask<KeyRing> ReloadAsync(AppSnapshot app, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        return RingAsync(_rings.ReloadAsync(app.App, app));
    }

    /// <summary>Drops an app's keys; a load under way will not bring them back.</summary>
    public void Forget(AppKey app) => _rings.Forget(app);

    private static async ValueTask<KeyRing> RingAsync(ValueTask<Held?> held) => (await held)!.Ring;

    private async Task<Held?> ReadAsync(AppKey name, AppSnapshot app, Held? known)
    {
        var settings = app.Settings;
        var keys = await _grains.GetGrain<ISigningKeysGrain>(name.ToString())
            .GetAsync(settings.DynamicKeyUpdateInterval, settings.AccessTokenValidity, CancellationToken.None)
            ?? throw new StoreUnavailableException("The app's keys could not be read.");
        var ring = known is not null && known.Keys.Keys.SequenceEqual(keys.Keys) ? known.Ring : Open(name, keys);
        return new Held(ring, keys, new KeyRotationPlan(settings.DynamicKeyUpdateInterval, settings.AccessTokenValidity).PollInterval);
    }

    private KeyRing Open(AppKey app, KeySet keys)
    {
        var name = app.ToString();
        List<SigningKey> signing = [];
        List<(string Kid, string KeyId)> closed = [];
        var imported = ImmutableArray.CreateBuilder<ImportedRefreshKey>();
        RefreshMacKey? mac = null;
        foreach (var key in keys.Keys.Where(key => !_holder.RevokedKeys.Contains(name, key.Kid)))
        {
            if (key.Kind is not (KeyKind.Dynamic or KeyKind.Static or KeyKind.RefreshMac or KeyKind.ImportedRefresh))
            {
                // Made by a newer version, for a purpose that this one does not know.
                continue;
            }

            byte[] secret;
            try
            {
                secret = _protector.Open(name, key.Kid, (int)key.Kind, key.Secret);
            }
            catch (KeyProtectionException)
            {
                // The app's other keys still work: one that cannot be opened must not take the app down.
                closed.Add((key.Kid, KeyProtector.KeyIdOf(key.Secret)));
                continue;
            }

            if (key.Kind == KeyKind.RefreshMac)
            {
                mac = new RefreshMacKey(key.Kid, secret);
            }
            else if (key.Kind == KeyKind.ImportedRefresh)
            {
                imported.Add(new ImportedRefreshKey(key.Kid, Encoding.UTF8.GetString(secret)));
            }
            else
            {
                signing.Add(SigningKey.FromRsa(key.Kid, key.Kind == KeyKind.Dynamic, key.SignsFrom, key.VerifiesUntil, secret));
            }
        }

        _unreadable.Note(app, closed);

        // Without it valid and invalid refresh tokens cannot be told apart: 503, so that an operator's mistake signs nobody out.
        return new KeyRing(
            signing, mac, keys.NextChangeAt, closed.Select(key => key.Kid),
            () => new StoreUnavailableException($"The key of app {name} for refresh tokens could not be opened."), imported.ToImmutable());
    }

    private sealed record Held(KeyRing Ring, KeySet Keys, TimeSpan FreshFor);
}
