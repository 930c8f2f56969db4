using System.Security.Cryptography;
using System.Text.Json;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Tests.SigningKeys;

public sealed class KeyTests
{
    private static readonly byte[] Kek = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void A_sealed_key_opens_for_its_owner_only()
    {
        var protector = new KeyProtector(Kek);
        var box = protector.Seal("app", "d-1", 1, "secret"u8);

        Assert.Equal("secret"u8, protector.Open("app", "d-1", 1, box));
        Assert.Throws<KeyProtectionException>(() => protector.Open("other", "d-1", 1, box));
        Assert.Throws<KeyProtectionException>(() => protector.Open("app", "d-2", 1, box));
        Assert.Throws<KeyProtectionException>(() => protector.Open("app", "d-1", 2, box));
        Assert.Throws<KeyProtectionException>(() => protector.Open("appd", "-1", 1, box));
    }

    [Fact]
    public void Every_changed_byte_and_every_cut_is_noticed()
    {
        var protector = new KeyProtector(Kek);
        var box = protector.Seal("app", "d-1", 1, "secret"u8);
        for (var i = 0; i < box.Length; i++)
        {
            var damaged = box.ToArray();
            damaged[i] ^= 1;
            Assert.Throws<KeyProtectionException>(() => protector.Open("app", "d-1", 1, damaged));
            Assert.Throws<KeyProtectionException>(() => protector.Open("app", "d-1", 1, box.AsSpan(0, i)));
        }
    }

    [Fact]
    public void Another_installations_key_is_told_from_damage()
    {
        var box = new KeyProtector(Kek).Seal("app", "d-1", 1, "secret"u8);

        var refusal = Assert.Throws<KeyProtectionException>(() => new KeyProtector(RandomNumberGenerator.GetBytes(32)).Open("app", "d-1", 1, box));

        Assert.Contains("Grid:Keys:EncryptionKeyFile", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_keys_side_by_side_open_what_either_sealed_and_seal_with_the_one_that_is_asked_for()
    {
        var next = RandomNumberGenerator.GetBytes(32);
        var former = new KeyProtector(Kek);
        var both = new KeyProtector(next, [Kek]);

        Assert.Equal("secret"u8, both.Open("app", "d-1", 1, former.Seal("app", "d-1", 1, "secret"u8)));
        Assert.Equal(new KeyProtector(next).KeyId, KeyProtector.KeyIdOf(both.Seal("app", "d-1", 1, "secret"u8)));
        Assert.Equal("secret"u8, former.Open("app", "d-1", 1, both.SealingWith(former.KeyId)!.Seal("app", "d-1", 1, "secret"u8)));
        Assert.Null(both.SealingWith(new KeyProtector(RandomNumberGenerator.GetBytes(32)).KeyId));
    }

    [Fact]
    public void A_canary_tells_the_key_that_made_it_from_every_other()
    {
        var canary = new KeyProtector(Kek).SealCanary();

        Assert.True(new KeyProtector(Kek).OpensCanary(canary));
        Assert.False(new KeyProtector(RandomNumberGenerator.GetBytes(32)).OpensCanary(canary));
        Assert.Equal(new KeyProtector(Kek).KeyId, KeyProtector.KeyIdOf(canary));
    }

    [Fact]
    public void The_latest_key_that_has_started_signs()
    {
        var next = SigningKey.FromRsa("d-2", isDynamic: true, Keys.Now.AddMinutes(1), null, Keys.SecondSecret);
        var ring = new KeyRing([next, Keys.Dynamic, Keys.Static], Keys.Mac, Keys.Now);

        Assert.Equal("d-1", ring.SigningKey(dynamic: true, Keys.Now).Kid);
        Assert.Equal("d-2", ring.SigningKey(dynamic: true, Keys.Now.AddMinutes(1)).Kid);
        Assert.Equal("s-1", ring.SigningKey(dynamic: false, Keys.Now).Kid);
        Assert.Equal("d-1", ring.SigningKey(dynamic: true, Keys.Now.AddDays(-30)).Kid);
    }

    [Fact]
    public void The_key_set_lists_what_verifies_and_what_is_to_come()
    {
        var retired = SigningKey.FromRsa("d-0", isDynamic: true, Keys.Now.AddDays(-9), Keys.Now.AddMinutes(5), Keys.SecondSecret);
        var next = SigningKey.FromRsa("d-2", isDynamic: true, Keys.Now.AddMinutes(1), null, Keys.SecondSecret);
        var ring = new KeyRing([retired, next, Keys.Dynamic, Keys.Static], Keys.Mac, Keys.Now);

        Assert.Equal(["d-2", "d-1", "s-1", "d-0"], Kids(ring, Keys.Now));
        Assert.Equal(["d-2", "d-1", "s-1"], Kids(ring, Keys.Now.AddMinutes(5)));
        using var set = JsonDocument.Parse(ring.JwksJson(Keys.Now));
        Assert.Equal(["kty", "kid", "n", "e", "alg", "use"], set.RootElement.GetProperty("keys")[0].EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void Hashes_compare_parse_and_stay_out_of_logs()
    {
        var hash = TokenHash.Of("abc");

        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.ToHex());
        Assert.True(TokenHash.TryParseHex(hash.ToHex(), out var parsed));
        Assert.Equal(hash, parsed);
        Assert.False(TokenHash.TryParseHex(hash.ToHex().ToUpperInvariant(), out _));
        Assert.Equal(TokenHash.Of(hash.ToHex()), hash.HashOfHex());
        Assert.DoesNotContain(hash.ToHex(), hash.ToString(), StringComparison.Ordinal);
    }

    private static string[] Kids(KeyRing ring, DateTimeOffset now)
    {
        using var set = JsonDocument.Parse(ring.JwksJson(now));
        return [.. set.RootElement.GetProperty("keys").EnumerateArray().Select(k => k.GetProperty("kid").GetString()!)];
    }
}
