using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Importing;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.Outages;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.SigningKeys;

/// <inheritdoc cref="ISigningKeysGrain"/>
internal sealed partial class SigningKeysGrain(
    [PersistentState("keys", GrainStores.State)] IPersistentState<SigningKeysState> storage,
    KeyProtector protector, InstallationKey installation, IImportStore imports, TrustedClock clock, StoreOutages outages, ILogger<SigningKeysGrain> logger) : Grain, ISigningKeysGrain
{
    private string App => this.GetPrimaryKeyString();

    public Task<KeySet?> GetAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken) =>
        EnsureAsync(updateInterval, accessTokenValidity, rotateNow: false);

    public Task<KeySet?> RotateAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken) =>
        EnsureAsync(updateInterval, accessTokenValidity, rotateNow: true);

    public Task<KeySet?> ReplaceAsync(string kid, TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken) =>
        EnsureAsync(updateInterval, accessTokenValidity, rotateNow: false, without: kid);

    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await imports.SettleKeysAsync(App, kids: null, CancellationToken.None);
            if (!storage.State.Keys.IsEmpty)
            {
                await storage.CommitAsync(new SigningKeysState(), this);
            }

            return true;
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("keys", failure);
            return false;
        }
    }

    private async Task<KeySet?> EnsureAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, bool rotateNow, string? without = null)
    {
        var plan = new KeyRotationPlan(updateInterval, accessTokenValidity);
        try
        {
            await CatchUpAsync();
            var imported = await ReadImportedAsync();
            var keys = await ChangeAsync(plan, [.. storage.State.Keys, .. imported.ExceptBy(storage.State.Keys.Select(key => key.Kid), key => key.Kid)], rotateNow, without);
            if (!keys.SequenceEqual(storage.State.Keys))
            {
                await storage.CommitAsync(new SigningKeysState { Keys = keys }, this);
                Log.KeysChanged(logger, App, string.Join(", ", keys.Select(k => k.Kid)));
            }

            if (!imported.IsEmpty)
            {
                // Before the answer: a key that is revoked from now on must not be taken in a second time.
                await imports.SettleKeysAsync(App, [.. imported.Select(key => key.Kid)], CancellationToken.None);
            }

            return new KeySet { Keys = keys, NextChangeAt = plan.NextChangeAt([.. keys.Where(Opens)]) };
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("keys", failure);
            return null;
        }
    }

    private async Task<ImmutableArray<StoredKey>> ChangeAsync(KeyRotationPlan plan, ImmutableArray<StoredKey> stored, bool rotateNow, string? without)
    {
        var now = clock.GetUtcNow();
        var keys = KeyRotationPlan.Retire(stored, now);
        if (without is not null)
        {
            // One for refresh tokens is replaced only when it is lost anyway: its end is the end of every session.
            keys = keys.Any(k => k.Kid == without && k.Kind == KeyKind.RefreshMac && !Opens(k))
                ? keys.RemoveAll(k => k.Kid == without)
                : KeyRotationPlan.Without(keys, without, now);
        }

        // One that cannot be opened counts too: replacing it would refuse every refresh token, and that is an operator's decision.
        if (!keys.Any(k => k.Kind == KeyKind.RefreshMac))
        {
            keys = keys.Add(await SealAsync($"m-{Guid.NewGuid():D}", KeyKind.RefreshMac, now, SigningKeySecrets.CreateMac()));
        }

        if (!keys.Any(k => k.Kind == KeyKind.Static && Opens(k)))
        {
            keys = keys.Add(await SealAsync($"s-{Guid.NewGuid():D}", KeyKind.Static, now, await CreateRsaAsync()));
        }

        ImmutableArray<StoredKey> usable = [.. keys.Where(Opens)];
        if (plan.IsNextDue(usable, now) || (rotateNow && KeyRotationPlan.HasRoom(usable)))
        {
            keys = plan.Follow(keys, await SealAsync($"d-{Guid.NewGuid():D}", KeyKind.Dynamic, plan.NextSignsFrom(usable, now), await CreateRsaAsync()));
        }
        else if (rotateNow)
        {
            Log.NoRoom(logger, App, KeyRotationPlan.MaxDynamicKeys);
        }

        return keys;
    }

    private async Task<ImmutableArray<StoredKey>> ReadImportedAsync()
    {
        try
        {
            return (await imports.ReadStagedKeysAsync(App, CancellationToken.None)).RemoveAll(key => !Opens(key));
        }
        catch (StoreUnavailableException)
        {
            // Known keys remain in use through an outage.
            return [];
        }
    }

    // 'grid keys rotate-encryption-key' writes the rows from outside: what is in memory here would be handed to silos that no longer hold the former key.
    private async Task CatchUpAsync()
    {
        string keyId;
        try
        {
            keyId = await installation.IdAsync();
        }
        catch (StoreUnavailableException)
        {
            // Known keys remain in use through an outage; only sealing a new one fails.
            return;
        }

        if (!storage.State.Keys.IsEmpty && storage.State.Keys.Any(key => KeyProtector.KeyIdOf(key.Secret) != keyId))
        {
            try
            {
                await storage.ReadStateAsync();
            }
            catch (Exception failure)
            {
                throw new StoreUnavailableException("The app's keys could not be read again.", failure);
            }
        }
    }

    private bool Opens(StoredKey key) => protector.Opens(App, key.Kid, (int)key.Kind, key.Secret);

    // A tenth of a second of pure arithmetic: off the grain scheduler's threads, but still within the turn.
    private static Task<byte[]> CreateRsaAsync() => Task.Factory.StartNew(
        SigningKeySecrets.CreateRsa, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private async Task<StoredKey> SealAsync(string kid, KeyKind kind, DateTimeOffset signsFrom, byte[] secret) => new()
    {
        Kid = kid,
        Kind = kind,
        SignsFrom = signsFrom,
        VerifiesUntil = null,
        Secret = (await installation.SealerAsync()).Seal(App, kid, (int)kind, secret),
    };

    private static partial class Log
    {
        [LoggerMessage(2400, LogLevel.Information, "Keys of app {App} are now {Kids}")]
        public static partial void KeysChanged(ILogger logger, string app, string kids);

        [LoggerMessage(2403, LogLevel.Warning, "App {App} has {Count} dynamic keys that still verify: no further one is made until one of them has retired. Rotate less often, or shorten the access tokens' life")]
        public static partial void NoRoom(ILogger logger, string app, int count);
    }
}
