using System.Security.Cryptography;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.SigningKeys;
using Grid.Tokens.SigningKeys;

namespace Grid.Grains.Tests.SigningKeys;

/// <summary>Keys that an import has laid ready become an app's own.</summary>
public sealed class ImportedKeyTests(GridCluster grid)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(168);
    private static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_verify_and_the_app_goes_on_signing_with_its_own_rotating_key()
    {
        var app = await grid.CreateAppAsync();
        var own = (await KeysAsync(app)).Keys.Single(key => key.Kind == KeyKind.Dynamic).Kid;
        var imported = await StageAsync(app, "d-1700000000000", KeyKind.Dynamic, SigningKeySecrets.CreateRsa());
        await StageAsync(app, "r-1", KeyKind.ImportedRefresh, "1000:aa:bb"u8.ToArray());

        Assert.Contains((await KeysAsync(app)).Keys, key => key.Kid == imported && key.Kind == KeyKind.Dynamic);
        var ring = await grid.Service<IKeyRings>(1).ReloadAsync((await grid.Service<IAppDirectory>(1).FindAsync(app, Stop))!, Stop);
        Assert.True(ring.TryFind(imported, grid.Clock.GetUtcNow(), out _));
        Assert.Equal(own, ring.SigningKey(dynamic: true, grid.Clock.GetUtcNow()).Kid);
        Assert.Equal("r-1", Assert.Single(ring.ImportedRefreshKeys).Kid);
        Assert.Empty(await grid.Service<IImportStore>(0).ReadStagedKeysAsync(app.ToString(), Stop));
    }

    [Fact]
    public async Task One_that_was_revoked_does_not_come_back_nor_do_those_of_an_app_that_was_removed()
    {
        var app = await grid.CreateAppAsync();
        var kid = await StageAsync(app, "d-1700000000001", KeyKind.Dynamic, SigningKeySecrets.CreateRsa());
        var keys = grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString());
        Assert.Contains((await KeysAsync(app)).Keys, key => key.Kid == kid);
        Assert.DoesNotContain((await keys.ReplaceAsync(kid, Interval, Validity, Stop))!.Keys, key => key.Kid == kid);
        await StageAsync(app, kid, KeyKind.Dynamic, SigningKeySecrets.CreateRsa());
        Assert.DoesNotContain((await KeysAsync(app)).Keys, key => key.Kid == kid);

        var waiting = await StageAsync(app, "d-1700000000002", KeyKind.Dynamic, SigningKeySecrets.CreateRsa());
        Assert.True(await keys.RemoveAsync(Stop));
        await StageAsync(app, waiting, KeyKind.Dynamic, SigningKeySecrets.CreateRsa());
        Assert.DoesNotContain((await KeysAsync(app)).Keys, key => key.Kid == waiting);
    }

    [Fact]
    public async Task Those_that_wait_are_sealed_anew_with_the_others_and_who_lost_their_key_hears_which()
    {
        var app = await grid.CreateAppAsync();
        var (secret, former) = (SigningKeySecrets.CreateRsa(), RandomNumberGenerator.GetBytes(KeyProtector.KeySize));
        var imports = grid.Service<IImportStore>(0);
        await imports.StageKeysAsync(app.ToString(), [Key("d-1700000000003", new KeyProtector(former), app, secret), Key("d-1700000000004", new KeyProtector(RandomNumberGenerator.GetBytes(KeyProtector.KeySize)), app, secret)], Stop);
        Assert.DoesNotContain((await KeysAsync(app)).Keys, key => key.Kid.StartsWith("d-17", StringComparison.Ordinal));
        Assert.Equal(["d-1700000000003", "d-1700000000004"], (await StagedKeys.FindUnreadableAsync(imports, grid.Protector, Stop)).Where(key => key.App == app.ToString()).Select(key => key.Kid).Order());

        var protector = grid.ProtectorWith(former).SealingWith(grid.Protector.KeyId)!;
        var (changed, wasBusy, unreadable) = await StagedKeys.RewrapAsync(imports, protector);
        Assert.Contains(app.ToString(), changed);
        Assert.False(wasBusy);
        Assert.Equal([(app.ToString(), "d-1700000000004")], unreadable.Where(key => key.App == app.ToString()));
        Assert.Contains((await KeysAsync(app)).Keys, key => key.Kid == "d-1700000000003");
        Assert.Empty((await StagedKeys.RewrapAsync(imports, protector)).Changed);
    }

    private static StoredKey Key(string kid, KeyProtector protector, AppKey app, byte[] secret) => new()
    {
        Kid = kid,
        Kind = KeyKind.Dynamic,
        SignsFrom = DateTimeOffset.UnixEpoch,
        VerifiesUntil = null,
        Secret = protector.Seal(app.ToString(), kid, (int)KeyKind.Dynamic, secret),
    };

    private async Task<KeySet> KeysAsync(AppKey app) => (await grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString()).GetAsync(Interval, Validity, Stop))!;

    private async Task<string> StageAsync(AppKey app, string kid, KeyKind kind, byte[] secret)
    {
        await grid.Service<IImportStore>(0).StageKeysAsync(
            app.ToString(),
            [
                new StoredKey
                {
                    Kid = kid, Kind = kind, SignsFrom = DateTimeOffset.UnixEpoch, VerifiesUntil = grid.Clock.GetUtcNow().AddDays(7),
                    Secret = grid.Protector.Seal(app.ToString(), kid, (int)kind, secret),
                },
            ],
            Stop);
        return kid;
    }
}
