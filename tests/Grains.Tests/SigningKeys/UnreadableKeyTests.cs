using System.Security.Cryptography;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.SigningKeys;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Grid.Grains.Tests.SigningKeys;

/// <summary>A stored key that nobody here can open costs what it signed, and nothing else.</summary>
public sealed class UnreadableKeyTests(GridCluster grid)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(168);
    private static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(KeyKind.Dynamic)]
    [InlineData(KeyKind.Static)]
    public async Task A_signing_key_that_does_not_open_is_passed_over_and_another_is_made(KeyKind kind)
    {
        var app = await grid.CreateAppAsync();
        var lost = await PoisonAsync(app, kind);

        var ring = await RingAsync(app);

        Assert.True(ring.IsUnreadable(lost));
        var now = grid.Clock.GetUtcNow();
        Assert.NotEqual(lost, ring.SigningKey(kind == KeyKind.Dynamic, now).Kid);
        Assert.NotNull(ring.SigningKey(kind != KeyKind.Dynamic, now));
        Assert.NotNull(ring.Mac);
        Assert.Contains(lost, grid.Service<UnreadableKeys>().ByApp[app]);
    }

    [Fact]
    public async Task A_lost_key_of_refresh_tokens_is_an_outage_until_somebody_replaces_it_by_name()
    {
        var app = await grid.CreateAppAsync();
        var lost = await PoisonAsync(app, KeyKind.RefreshMac);

        var ring = await RingAsync(app);
        Assert.Throws<StoreUnavailableException>(() => ring.Mac);
        Assert.NotNull(ring.SigningKey(dynamic: true, grid.Clock.GetUtcNow()));
        Assert.True(ring.IsUnreadable(lost));

        var replaced = (await Grain(app).ReplaceAsync(lost, Interval, Validity, CancellationToken.None))!;

        var mac = Assert.Single(replaced.Keys, key => key.Kind == KeyKind.RefreshMac);
        Assert.NotEqual(lost, mac.Kid);
        grid.Service<KeyRings>().Forget(app);
        Assert.Equal(mac.Kid, (await RingAsync(app)).Mac.Kid);
        Assert.False(grid.Service<UnreadableKeys>().ByApp.ContainsKey(app));
    }

    [Fact]
    public async Task A_good_key_of_refresh_tokens_is_not_replaced_by_name()
    {
        var app = await grid.CreateAppAsync();
        var mac = Assert.Single((await KeysAsync(app)).Keys, key => key.Kind == KeyKind.RefreshMac);

        var after = (await Grain(app).ReplaceAsync(mac.Kid, Interval, Validity, CancellationToken.None))!;

        Assert.Contains(mac.Kid, after.Keys.Select(key => key.Kid));
    }

    [Fact]
    public async Task A_lost_signing_key_can_be_revoked_by_name()
    {
        var app = await grid.CreateAppAsync();
        var lost = await PoisonAsync(app, KeyKind.Dynamic);

        var after = (await Grain(app).ReplaceAsync(lost, Interval, Validity, CancellationToken.None))!;

        Assert.DoesNotContain(lost, after.Keys.Select(key => key.Kid));
        Assert.All(after.Keys, key => Assert.True(grid.Protector.Opens(app.ToString(), key.Kid, (int)key.Kind, key.Secret)));
    }

    [Fact]
    public async Task A_silo_that_does_not_hold_the_installations_key_seals_nothing()
    {
        var foreign = new KeyProtector(RandomNumberGenerator.GetBytes(32));
        var key = new InstallationKey(foreign, grid.Installation, grid.Clock);

        await Assert.ThrowsAsync<StoreUnavailableException>(key.SealerAsync);
    }

    [Fact]
    public async Task While_the_key_changes_what_is_sealed_follows_the_stored_canary_and_not_the_setting()
    {
        var next = RandomNumberGenerator.GetBytes(32);
        var both = new InstallationKey(grid.ProtectorWith(next), grid.Installation, grid.Clock);

        var sealer = await both.SealerAsync();

        Assert.Equal(grid.Protector.KeyId, sealer.KeyId);
    }

    private ISigningKeysGrain Grain(AppKey app) => grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString());

    private async Task<KeySet> KeysAsync(AppKey app) => (await Grain(app).GetAsync(Interval, Validity, CancellationToken.None))!;

    private async Task<KeyRing> RingAsync(AppKey app)
    {
        var snapshot = (await grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None))!;
        return await grid.Service<IKeyRings>().GetAsync(snapshot, CancellationToken.None);
    }

    /// <summary>Seals one of the app's keys with a key-encryption key that nobody has, as a foreign silo did.</summary>
    private async Task<string> PoisonAsync(AppKey app, KeyKind kind)
    {
        var keys = await KeysAsync(app);
        var key = Assert.Single(keys.Keys, k => k.Kind == kind);
        var foreign = new KeyProtector(RandomNumberGenerator.GetBytes(32));
        var poisoned = key with { Secret = foreign.Seal(app.ToString(), key.Kid, (int)kind, [1, 2, 3]) };
        var management = grid.Grains.GetGrain<IManagementGrain>(0);
        var id = Grain(app).GetGrainId();
        var state = new GrainState<SigningKeysState>();
        await management.ForceActivationCollection(TimeSpan.Zero);
        var storage = grid.Service<IServiceProvider>().GetRequiredKeyedService<IGrainStorage>(GrainStores.State);
        await storage.ReadStateAsync("keys", id, state);
        state.State = new SigningKeysState { Keys = [.. keys.Keys.Select(k => k.Kid == key.Kid ? poisoned : k)] };
        await storage.WriteStateAsync("keys", id, state);
        for (var silo = 0; silo < 3; silo++)
        {
            grid.Service<KeyRings>(silo).Forget(app);
        }

        return key.Kid;
    }
}
