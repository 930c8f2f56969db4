using Grid.Abstractions;
using Grid.Abstractions.SigningKeys;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.SigningKeys;

/// <inheritdoc cref="ISigningKeysGrain"/>
internal sealed partial class SigningKeysGrain(
    [PersistentState("keys", GrainStores.State)] IPersistentState<SigningKeysState> storage,
    KeyProtector protector, TimeProvider clock, ILogger<SigningKeysGrain> logger) : Grain, ISigningKeysGrain
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
            if (!storage.State.Keys.IsEmpty)
            {
                await storage.CommitAsync(new SigningKeysState(), this);
            }

            return true;
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, App);
            return false;
        }
    }

    private async Task<KeySet?> EnsureAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, bool rotateNow, string? without = null)
    {
        var plan = new KeyRotationPlan(updateInterval, accessTokenValidity);
        var now = clock.GetUtcNow();
        var keys = KeyRotationPlan.Retire(storage.State.Keys, now);
        if (without is not null)
        {
            keys = KeyRotationPlan.Without(keys, without, now);
        }

        if (!keys.Any(k => k.Kind == KeyKind.RefreshMac))
        {
            keys = keys.Add(Seal($"m-{Guid.NewGuid():D}", KeyKind.RefreshMac, now, SigningKeySecrets.CreateMac()));
        }

        if (!keys.Any(k => k.Kind == KeyKind.Static))
        {
            keys = keys.Add(Seal($"s-{Guid.NewGuid():D}", KeyKind.Static, now, await CreateRsaAsync()));
        }

        if (rotateNow || plan.IsNextDue(keys, now))
        {
            keys = plan.Follow(keys, Seal($"d-{Guid.NewGuid():D}", KeyKind.Dynamic, plan.NextSignsFrom(keys, now), await CreateRsaAsync()));
        }

        if (!keys.SequenceEqual(storage.State.Keys))
        {
            try
            {
                await storage.CommitAsync(new SigningKeysState { Keys = keys }, this);
                Log.KeysChanged(logger, App, string.Join(", ", keys.Select(k => k.Kid)));
            }
            catch (StoreUnavailableException failure)
            {
                Log.StoreUnavailable(logger, failure, App);
                return null;
            }
        }

        return new KeySet { Keys = keys, NextChangeAt = plan.NextChangeAt(keys) };
    }

    // A tenth of a second of pure arithmetic: off the grain scheduler's threads, in the turn all the same.
    private static Task<byte[]> CreateRsaAsync() => Task.Factory.StartNew(
        SigningKeySecrets.CreateRsa, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private StoredKey Seal(string kid, KeyKind kind, DateTimeOffset signsFrom, byte[] secret) => new()
    {
        Kid = kid,
        Kind = kind,
        SignsFrom = signsFrom,
        VerifiesUntil = null,
        Secret = protector.Seal(App, kid, (int)kind, secret),
    };

    private static partial class Log
    {
        [LoggerMessage(2400, LogLevel.Information, "Keys of app {App} are now {Kids}")]
        public static partial void KeysChanged(ILogger logger, string app, string kids);

        [LoggerMessage(2401, LogLevel.Warning, "Store away while the keys of app {App} were changed; outcome unknown")]
        public static partial void StoreUnavailable(ILogger logger, Exception failure, string app);
    }
}
