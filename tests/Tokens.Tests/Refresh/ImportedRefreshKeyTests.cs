using System.Text;
using Grid.TestKit.SuperTokens;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Tests.Refresh;

/// <summary>Refresh tokens that a SuperTokens core issued, made here without any of Grid's classes.</summary>
public sealed class ImportedRefreshKeyTests
{
    private static readonly OriginalKeys Original = new(generations: 0, DateTimeOffset.UnixEpoch);
    private static readonly ImportedRefreshKey Key = new("r-1", Original.RefreshSecret);
    private static readonly OriginalSession Session = new("public", "t1", "o'neil=<ü&>", AntiCsrf: "anti-csrf");

    [Fact]
    public void A_token_of_the_original_is_read_with_its_handle_parent_and_anti_csrf_token()
    {
        var parent = Original.RefreshToken(Session);
        var token = Original.RefreshToken(Session, parent);

        Assert.True(Key.TryOpen(token, "a1", out var content));
        Assert.Equal(new RefreshTokenContent("a1", Session.Handle, TokenHash.Of(parent), "anti-csrf"), content);
    }

    [Fact]
    public void A_first_token_without_anti_csrf_has_neither()
    {
        var session = Session with { AntiCsrf = null };
        Assert.True(Key.TryOpen(Original.RefreshToken(session), "a1", out var content));
        Assert.Equal(new RefreshTokenContent("a1", session.Handle, null, null), content);
    }

    [Fact]
    public void A_ring_reads_its_own_tokens_and_those_of_the_original()
    {
        var ring = new KeyRing([], Keys.Mac, Keys.Now, [], () => new InvalidOperationException(), [new ImportedRefreshKey("r-0", "another"), Key]);
        var own = RefreshTokenCodec.Mint(new RefreshTokenContent("a1", Session.Handle, null, null), Keys.Mac);

        Assert.True(RefreshTokens.TryRead(own, ring, "a1", out _));
        Assert.False(RefreshTokens.TryRead(own, ring, "a2", out _));
        Assert.True(RefreshTokens.TryRead(Original.RefreshToken(Session), ring, "a1", out var foreign));
        Assert.Equal(("a1", Session.Handle), (foreign.App, foreign.SessionHandle));
    }

    [Fact]
    public void Whatever_is_changed_in_a_token_it_is_refused()
    {
        var token = Original.RefreshToken(Session);
        for (var i = 0; i < token.Length; i++)
        {
            foreach (var other in (char[])['A', 'b', '0', '.', ' ', '=', 'V', '2'])
            {
                // The last digit of base64 may hold bits that nothing reads: the token's hash, which decides, is another then.
                if (token[i] != other && Key.TryOpen(string.Concat(token.AsSpan(0, i), [other], token.AsSpan(i + 1)), "a1", out var content))
                {
                    Assert.Equal(Session.Handle, content.SessionHandle);
                    Assert.True(token[(i + 1)..].TrimStart('=')[0] == '.', $"character {i} of {token} may be {other}");
                }
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".V2")]
    [InlineData("9d5f.V2")]
    [InlineData("b2e2f1d1-6d8f-4a5e-9a0e-0d7f2f1c9b11.V0")]
    public void What_has_not_the_form_is_refused(string? token) => Assert.False(Key.TryOpen(token, "a1", out _));

    [Fact]
    public void A_box_of_another_core_or_of_something_else_is_refused()
    {
        var nonce = OriginalKeys.Hash("n");
        Assert.False(Key.TryOpen(new OriginalKeys(0, DateTimeOffset.UnixEpoch).RefreshToken(Session), "a1", out _));
        foreach (var content in (string[])
        [
            "", "null", "[]", "{", "{}", $$"""{"sessionHandle":"h","userId":"u","nonce":"{{OriginalKeys.Hash("m")}}"}""", $$"""{"sessionHandle":"h","nonce":"{{nonce}}"}""",
            $$"""{"sessionHandle":1,"userId":"u","nonce":"{{nonce}}"}""", $$"""{"sessionHandle":"h","userId":"u","nonce":"{{nonce}}","parentRefreshTokenHash1":"x"}""",
        ])
        {
            Assert.False(Key.TryOpen($"{OriginalKeys.Seal(Encoding.UTF8.GetBytes(content), Original.RefreshSecret)}.{nonce}.V2", "a1", out _), content);
        }

        Assert.True(Key.TryOpen(
            $"{OriginalKeys.Seal(Encoding.UTF8.GetBytes($$"""{"sessionHandle":"h","userId":"u","nonce":"{{nonce}}"}"""), Original.RefreshSecret)}.{nonce}.V1", "a1", out _));
    }
}
