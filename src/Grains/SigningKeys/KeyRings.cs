using System.Collections.Concurrent;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;
using Grid.Revocation.Holders;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <inheritdoc cref="IKeyRings"/>
internal sealed class KeyRings(IGrainFactory grains, KeyProtector protector, UnreadableKeys unreadable, Holder holder, TimeProvider clock) : IKeyRings
{
    private static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<AppKey, Held> _rings = new();
    private int _forgotten;

    public ValueTask<KeyRing> GetAsync(AppSnapshot app, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        return _rings.TryGetValue(app.App, out var held) && clock.GetElapsedTime(held.LoadedAt) < held.Usable
            ? new ValueTask<KeyRing>(held.Ring)
            : new ValueTask<KeyRing>(LoadAsync(app));
    }

    public ValueTask<KeyRing> ReloadAsync(AppSnapshot app, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        return _rings.TryGetValue(app.App, out var held) && clock.GetElapsedTime(held.LoadedAt) < ReloadInterval
            ? new ValueTask<KeyRing>(held.Ring)
            : new ValueTask<KeyRing>(LoadAsync(app));
    }

    /// <summary>Drops an app's keys; a load under way will not bring them back.</summary>
    public void Forget(AppKey app)
    {
        Interlocked.Increment(ref _forgotten);
        _rings.TryRemove(app, out _);
    }

    private async Task<KeyRing> LoadAsync(AppSnapshot app)
    {
        var forgotten = Volatile.Read(ref _forgotten);
        _rings.TryGetValue(app.App, out var old);
        var loadedAt = clock.GetTimestamp();
        if (old is not null)
        {
            // The others go on with the old ring while this one asks; a failure is tried again after a second.
            var claimed = old with { LoadedAt = loadedAt, Usable = ReloadInterval };
            if (!_rings.TryUpdate(app.App, claimed, old))
            {
                return old.Ring;
            }

            old = claimed;
        }

        KeySet? keys;
        try
        {
            keys = await grains.GetGrain<ISigningKeysGrain>(app.App.ToString())
                .GetAsync(app.Settings.DynamicKeyUpdateInterval, app.Settings.AccessTokenValidity, CancellationToken.None);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            return old?.Ring ?? throw new StoreUnavailableException("The app's keys could not be read.", failure);
        }

        if (keys is null)
        {
            return old?.Ring ?? throw new StoreUnavailableException("The app's keys could not be read.");
        }

        var plan = new KeyRotationPlan(app.Settings.DynamicKeyUpdateInterval, app.Settings.AccessTokenValidity);
        var held = new Held(
            old is not null && old.Keys.Keys.SequenceEqual(keys.Keys) ? old.Ring : Open(app.App, keys), keys, loadedAt, plan.PollInterval);
        if (forgotten == Volatile.Read(ref _forgotten))
        {
            _rings[app.App] = held;
        }

        return held.Ring;
    }

    private KeyRing Open(AppKey app, KeySet keys)
    {
        var name = app.ToString();
        List<SigningKey> signing = [];
        List<(string Kid, string KeyId)> closed = [];
        RefreshMacKey? mac = null;
        foreach (var key in keys.Keys.Where(key => !holder.RevokedKeys.Contains(name, key.Kid)))
        {
            if (key.Kind is not (KeyKind.Dynamic or KeyKind.Static or KeyKind.RefreshMac))
            {
                // Made by a newer version for a purpose that this one does not have.
                continue;
            }

            byte[] secret;
            try
            {
                secret = protector.Open(name, key.Kid, (int)key.Kind, key.Secret);
            }
            catch (KeyProtectionException)
            {
                // The app's other keys are as good as before: one that cannot be opened takes nobody down.
                closed.Add((key.Kid, KeyProtector.KeyIdOf(key.Secret)));
                continue;
            }

            if (key.Kind == KeyKind.RefreshMac)
            {
                mac = new RefreshMacKey(key.Kid, secret);
            }
            else
            {
                signing.Add(SigningKey.FromRsa(key.Kid, key.Kind == KeyKind.Dynamic, key.SignsFrom, key.VerifiesUntil, secret));
            }
        }

        unreadable.Note(app, closed);

        // Without it nobody can tell a good refresh token from a bad one: 503, so that nobody is signed out by an operator's mistake.
        return new KeyRing(
            signing, mac, keys.NextChangeAt, closed.Select(key => key.Kid),
            () => new StoreUnavailableException($"The key of app {name} for refresh tokens could not be opened."));
    }

    private sealed record Held(KeyRing Ring, KeySet Keys, long LoadedAt, TimeSpan Usable);
}
