using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;

namespace Grid.Grains.Tests.SigningKeys;

public sealed class KeyRotationTests(GridCluster grid)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(168);
    private static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    [Fact]
    public async Task An_app_starts_with_one_key_of_each_kind()
    {
        var keys = await KeysAsync(await grid.CreateAppAsync());

        Assert.Equal([KeyKind.RefreshMac, KeyKind.Static, KeyKind.Dynamic], keys.Keys.Select(k => k.Kind));
        Assert.Equal(['m', 's', 'd'], keys.Keys.Select(k => k.Kid[0]));
    }

    [Fact]
    public async Task Every_silo_signs_with_the_same_key()
    {
        var app = await FindAsync(await grid.CreateAppAsync());

        var kids = new HashSet<string>();
        for (var silo = 0; silo < 3; silo++)
        {
            var ring = await grid.Service<IKeyRings>(silo).GetAsync(app, CancellationToken.None);
            kids.Add(ring.SigningKey(dynamic: true, grid.Clock.GetUtcNow()).Kid);
        }

        Assert.Single(kids);
    }

    [Fact]
    public async Task A_new_key_is_published_before_it_signs_and_the_old_one_verifies_for_two_token_lives()
    {
        var key = await grid.CreateAppAsync();
        var before = Assert.Single((await KeysAsync(key)).Keys, k => k.Kind == KeyKind.Dynamic);

        var after = (await grid.Grains.GetGrain<ISigningKeysGrain>(key.ToString()).RotateAsync(Interval, Validity, CancellationToken.None))!;

        var next = Assert.Single(after.Keys, k => k.Kind == KeyKind.Dynamic && k.Kid != before.Kid);
        var old = Assert.Single(after.Keys, k => k.Kid == before.Kid);
        Assert.True(next.SignsFrom >= grid.Clock.GetUtcNow() + TimeSpan.FromSeconds(60));
        Assert.Equal(next.SignsFrom + (2 * Validity), old.VerifiesUntil);
        var ring = await grid.Service<IKeyRings>(1).GetAsync(await FindAsync(key), CancellationToken.None);
        Assert.Equal(before.Kid, ring.SigningKey(dynamic: true, grid.Clock.GetUtcNow()).Kid);
        Assert.Equal(next.Kid, ring.SigningKey(dynamic: true, next.SignsFrom).Kid);
    }

    [Fact]
    public async Task An_unknown_kid_makes_a_silo_read_the_keys_again()
    {
        var key = await grid.CreateAppAsync();
        var app = await FindAsync(key);
        var rings = grid.Service<IKeyRings>(2);
        await rings.GetAsync(app, CancellationToken.None);
        var rotated = (await grid.Grains.GetGrain<ISigningKeysGrain>(key.ToString()).RotateAsync(Interval, Validity, CancellationToken.None))!;
        var kid = rotated.Keys[^1].Kid;
        grid.Clock.Skip(TimeSpan.FromSeconds(2));

        var reloaded = await rings.ReloadAsync(app, CancellationToken.None);

        Assert.True(reloaded.TryFind(kid, grid.Clock.GetUtcNow(), out _));
    }

    [Fact]
    public async Task Secrets_of_keys_are_stored_encrypted()
    {
        var keys = await KeysAsync(await grid.CreateAppAsync());

        // A PKCS#8 RSA key names its algorithm (1.2.840.113549.1.1.1) in clear; a sealed box does not.
        byte[] rsaEncryption = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
        Assert.All(keys.Keys, k => Assert.Equal(-1, k.Secret.AsSpan().IndexOf(rsaEncryption)));
    }

    private async Task<KeySet> KeysAsync(AppKey app) =>
        (await grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString()).GetAsync(Interval, Validity, CancellationToken.None))!;

    private async Task<AppSnapshot> FindAsync(AppKey app) =>
        (await grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None))!;
}
