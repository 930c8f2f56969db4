using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Tests.Refresh;

public sealed class RefreshTokenCodecTests
{
    private static readonly RefreshTokenContent Content = new("app@core.example:3567", "01a20de1-4e3a-7a03-b0ba-98a6280d90ef_tenant-ü", TokenHash.Of("parent"), "csrf");

    [Fact]
    public void What_was_minted_is_read_back()
    {
        foreach (var content in new[] { Content, Content with { ParentHash1 = null, AntiCsrfToken = null } })
        {
            Assert.True(RefreshTokenCodec.TryRead(RefreshTokenCodec.Mint(content, Keys.Mac), Keys.Mac, out var read));
            Assert.Equal(content, read);
        }
    }

    [Fact]
    public void Two_tokens_with_one_content_differ() =>
        Assert.NotEqual(RefreshTokenCodec.Mint(Content, Keys.Mac), RefreshTokenCodec.Mint(Content, Keys.Mac));

    [Fact]
    public void Another_apps_key_reads_nothing() =>
        Assert.False(RefreshTokenCodec.TryRead(RefreshTokenCodec.Mint(Content, Keys.Mac), new RefreshMacKey("m-2", SigningKeySecrets.CreateMac()), out _));

    [Fact]
    public void No_mutation_is_read_and_none_throws()
    {
        var token = RefreshTokenCodec.Mint(Content, Keys.Mac);
        var random = new Random(815);
        for (var i = 0; i < 5000; i++)
        {
            var letters = token.ToCharArray();
            letters[random.Next(letters.Length)] = (char)random.Next(1, 256);
            var mutant = new string(letters, 0, random.Next(4) == 0 ? random.Next(letters.Length) : letters.Length);
            Assert.Equal(mutant == token, RefreshTokenCodec.TryRead(mutant, Keys.Mac, out _));
        }

        foreach (var odd in new[] { null, "", "=", token + "=", token + "A", " " + token, token + "\n", new string('A', 5000) })
        {
            Assert.False(RefreshTokenCodec.TryRead(odd, Keys.Mac, out _));
        }
    }
}
