using System.Buffers.Text;
using System.Text;
using Grid.Tokens.Access;
using Grid.Tokens.SigningKeys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Grid.Tokens.Tests.Access;

public sealed class AccessTokenTests
{
    private static readonly string Hash = TokenHash.Of("refresh").ToHex();

    private static AccessTokenContent Content => new()
    {
        Version = AccessTokenVersion.V5,
        UserId = "user \"ü\" 1",
        IssuedAt = Keys.Now,
        ExpiresAt = Keys.Now.AddHours(1),
        TenantId = "public",
        RecipeUserId = "user \"ü\" 1",
        SessionHandle = "01a20de1-4e3a-7a03-b0ba-98a6280d90ef",
        RefreshTokenHash1 = Hash,
        PayloadJson = """{"role":"admin"}""",
    };

    [Fact]
    public void Header_and_claims_stand_in_the_protocols_order()
    {
        var parts = AccessTokenIssuer.Mint(Content with { PayloadJson = """ { "b" : 1.0, "a": 1e3, "u":"\u00e9😀" } """ }, Keys.Dynamic).Split('.');

        Assert.Equal("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256"}""", Decode(parts[0]));
        Assert.Equal(
            $$"""{"sub":"user \"ü\" 1","exp":1795525200,"iat":1795521600,"tId":"public","rsub":"user \"ü\" 1","sessionHandle":"01a20de1-4e3a-7a03-b0ba-98a6280d90ef","refreshTokenHash1":"{{Hash}}","parentRefreshTokenHash1":null,"antiCsrfToken":null,"b" : 1.0, "a": 1e3, "u":"\u00e9😀"}""",
            Decode(parts[1]));
    }

    [Theory]
    [InlineData(AccessTokenVersion.V3, "\"3\"", false, false)]
    [InlineData(AccessTokenVersion.V4, "\"4\"", true, false)]
    [InlineData(AccessTokenVersion.V5, "\"5\"", true, true)]
    public void Each_version_has_the_claims_of_its_time(AccessTokenVersion version, string wire, bool tenant, bool recipeUser)
    {
        var token = AccessTokenIssuer.Mint(Content with { Version = version }, Keys.Dynamic);
        var parts = token.Split('.');

        Assert.Contains($"\"version\":{wire}", Decode(parts[0]), StringComparison.Ordinal);
        Assert.Equal(tenant, Decode(parts[1]).Contains("\"tId\"", StringComparison.Ordinal));
        Assert.Equal(recipeUser, Decode(parts[1]).Contains("\"rsub\"", StringComparison.Ordinal));
        var check = new AccessTokenVerifier().Verify(token, Keys.Ring, Keys.Now);
        Assert.Equal(Content with { Version = version }, check.Content);
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("{ }", "{}")]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("""{"a":1.50,"b":{"x":[1, 2]},"c":"\u0041"}""", """{"a":1.50,"b":{"x":[1, 2]},"c":"\u0041"}""")]
    public void The_users_claims_survive_letter_by_letter(string payload, string expected)
    {
        var check = new AccessTokenVerifier().Verify(AccessTokenIssuer.Mint(Content with { PayloadJson = payload }, Keys.Dynamic), Keys.Ring, Keys.Now);

        Assert.Equal(expected, check.Content!.PayloadJson);
    }

    [Fact]
    public void Anti_csrf_and_parent_are_carried()
    {
        var content = Content with { AntiCsrfToken = "csrf", ParentRefreshTokenHash1 = TokenHash.Of("parent").ToHex() };

        Assert.Equal(content, new AccessTokenVerifier().Verify(AccessTokenIssuer.Mint(content, Keys.Dynamic), Keys.Ring, Keys.Now).Content);
    }

    [Fact]
    public async Task Our_tokens_verify_in_the_reference_library()
    {
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(AccessTokenIssuer.Mint(Content, Keys.Dynamic), new TokenValidationParameters
        {
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            IssuerSigningKeys = new JsonWebKeySet(Encoding.UTF8.GetString(Keys.Ring.JwksJson(Keys.Now).Span)).GetSigningKeys(),
        });

        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("user \"ü\" 1", result.Claims["sub"]);
    }

    [Fact]
    public void Tokens_of_the_reference_library_with_our_header_verify_here()
    {
        using var rsa = System.Security.Cryptography.RSA.Create();
        rsa.ImportPkcs8PrivateKey(Keys.FirstSecret, out _);
        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        var claims = Decode(AccessTokenIssuer.Mint(Content, Keys.Dynamic).Split('.')[1]);
        var token = handler.CreateToken(
            claims, new SigningCredentials(new RsaSecurityKey(rsa) { KeyId = "d-1" }, "RS256"), new Dictionary<string, object> { ["version"] = "5" });

        Assert.Equal(Content, new AccessTokenVerifier().Verify(token, Keys.Ring, Keys.Now).Content);
    }

    [Theory]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"none"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"HS256"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS512"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256","jku":"http://evil"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256","jwk":{}}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256","x5c":["a"]}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256","crit":["b64"]}""")]
    [InlineData("""{"kid":"d-1","kid":"d-1","typ":"JWT","version":"5","alg":"RS256"}""")]
    [InlineData("""{"typ":"JWT","version":"5","alg":"RS256"}""")]
    [InlineData("""{"kid":7,"typ":"JWT","version":"5","alg":"RS256"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":"6","alg":"RS256"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","version":5,"alg":"RS256"}""")]
    [InlineData("""{"kid":"d-1","typ":"JWT","alg":"RS256"}""")]
    [InlineData("""{"kid":"d-1","version":"5","alg":"RS256"}""")]
    [InlineData("""["d-1"]""")]
    [InlineData("null")]
    [InlineData("{\"kid\":\"\\ud800\",\"typ\":\"JWT\",\"version\":\"5\",\"alg\":\"RS256\"}")]
    public void Headers_that_are_not_ours_are_malformed_however_well_they_are_signed(string header) =>
        Assert.Equal(AccessTokenOutcome.Malformed, Check(Sign(header, Decode(AccessTokenIssuer.Mint(Content, Keys.Dynamic).Split('.')[1]))).Outcome);

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("' OR 1=1 --")]
    [InlineData("d-2")]
    public void A_key_id_that_is_not_in_the_ring_is_unknown(string kid) =>
        Assert.Equal(AccessTokenOutcome.UnknownKey, Check(Sign($$"""{"kid":"{{kid}}","typ":"JWT","version":"5","alg":"RS256"}""", "{}")).Outcome);

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"sub":1}""")]
    [InlineData("not json")]
    public void Claims_that_are_not_a_sessions_are_malformed(string claims) =>
        Assert.Equal(AccessTokenOutcome.Malformed, Check(Sign("""{"kid":"d-1","typ":"JWT","version":"5","alg":"RS256"}""", claims)).Outcome);

    [Fact]
    public void Refresh_tokens_and_odd_shapes_are_no_access_tokens()
    {
        var token = AccessTokenIssuer.Mint(Content, Keys.Dynamic);
        var refresh = Grid.Tokens.Refresh.RefreshTokenCodec.Mint(new("public", "h", null, null), Keys.Mac);
        foreach (var odd in new[] { null, "", ".", "..", "a.b", token + ".x", token + "=", " " + token, token.Replace('.', ','), refresh, new string('a', 40_000) })
        {
            Assert.NotEqual(AccessTokenOutcome.Valid, Check(odd).Outcome);
        }
    }

    [Fact]
    public void A_second_spelling_of_the_same_signature_is_refused()
    {
        var token = AccessTokenIssuer.Mint(Content, Keys.Dynamic);

        // 256 bytes leave two spare bits in the last digit; set one.
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var other = token[..^1] + alphabet[alphabet.IndexOf(token[^1], StringComparison.Ordinal) | 1];

        Assert.NotEqual(token, other);
        Assert.Equal(AccessTokenOutcome.BadSignature, Check(other).Outcome);
    }

    [Fact]
    public void No_mutation_of_a_token_is_valid_and_none_throws()
    {
        var token = AccessTokenIssuer.Mint(Content, Keys.Dynamic);
        var random = new Random(4711);
        var verifier = new AccessTokenVerifier();
        for (var i = 0; i < 5000; i++)
        {
            var letters = token.ToCharArray();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                letters[random.Next(letters.Length)] = (char)random.Next(1, random.Next(2) == 0 ? 128 : 0x2000);
            }

            var mutant = new string(letters, 0, random.Next(3) == 0 ? random.Next(letters.Length) : letters.Length);
            if (mutant != token)
            {
                Assert.NotEqual(AccessTokenOutcome.Valid, verifier.Verify(mutant, Keys.Ring, Keys.Now).Outcome);
            }

            AccessTokenVerifier.TryReadUnverified(mutant, out _);
        }
    }

    [Fact]
    public void A_remembered_token_still_expires_and_dies_with_its_key()
    {
        var token = AccessTokenIssuer.Mint(Content, Keys.Dynamic);
        var verifier = new AccessTokenVerifier();
        Assert.Equal(AccessTokenOutcome.Valid, verifier.Verify(token, Keys.Ring, Keys.Now).Outcome);
        Assert.Equal(AccessTokenOutcome.Valid, verifier.Verify(token, Keys.Ring, Keys.Now).Outcome);

        Assert.Equal(AccessTokenOutcome.Expired, verifier.Verify(token, Keys.Ring, Keys.Now.AddHours(1)).Outcome);
        Assert.Equal(AccessTokenOutcome.UnknownKey, verifier.Verify(token, new KeyRing([Keys.Static], Keys.Mac, Keys.Now), Keys.Now).Outcome);
        var namesake = SigningKey.FromRsa("d-1", isDynamic: true, Keys.Now, null, Keys.SecondSecret);
        Assert.Equal(AccessTokenOutcome.BadSignature, verifier.Verify(token, new KeyRing([namesake], Keys.Mac, Keys.Now), Keys.Now).Outcome);
    }

    [Fact]
    public void A_retired_key_verifies_until_its_end_and_no_longer()
    {
        var retired = SigningKey.FromRsa("d-1", isDynamic: true, Keys.Now, Keys.Now.AddMinutes(10), Keys.FirstSecret);
        var ring = new KeyRing([retired, Keys.Static], Keys.Mac, Keys.Now);
        var token = AccessTokenIssuer.Mint(Content, retired);

        Assert.Equal(AccessTokenOutcome.Valid, Check(token, ring, Keys.Now.AddMinutes(9)).Outcome);
        Assert.Equal(AccessTokenOutcome.UnknownKey, Check(token, ring, Keys.Now.AddMinutes(10)).Outcome);
    }

    [Fact]
    public void Checking_a_remembered_token_allocates_nothing()
    {
        var token = AccessTokenIssuer.Mint(Content, Keys.Dynamic);
        var verifier = new AccessTokenVerifier();
        for (var i = 0; i < 200; i++)
        {
            verifier.Verify(token, Keys.Ring, Keys.Now);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            verifier.Verify(token, Keys.Ring, Keys.Now);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 16);
    }

    [Theory]
    [InlineData("""{"a":1}""", null)]
    [InlineData("""{"a":{"sub":1}}""", null)]
    [InlineData("""{"sub":1}""", "sub")]
    [InlineData("{\"s\\u0075b\":1}", "sub")]
    [InlineData("""{"a":1,"antiCsrfToken":null}""", "antiCsrfToken")]
    [InlineData("""{"rsub":"x"}""", "rsub")]
    public void Protected_claims_are_found_at_the_top_level_only(string payload, string? expected) =>
        Assert.Equal(expected, ProtectedClaims.FindIn(Encoding.UTF8.GetBytes(payload), AccessTokenVersion.V5));

    [Fact]
    public void Older_versions_protect_fewer_names()
    {
        Assert.Null(ProtectedClaims.FindIn("""{"rsub":1}"""u8, AccessTokenVersion.V4));
        Assert.Null(ProtectedClaims.FindIn("""{"tId":1}"""u8, AccessTokenVersion.V3));
        Assert.NotNull(ProtectedClaims.FindIn("""{"tId":1}"""u8, AccessTokenVersion.V4));
    }

    [Fact]
    public void A_jwt_carries_the_callers_payload_and_what_it_does_not_say()
    {
        var parts = JwtIssuer.Mint("""{"sub":"x","exp":1,"n":1.0}""", TimeSpan.FromSeconds(60), "https://issuer", Keys.Static, Keys.Now).Split('.');

        Assert.Equal("""{"kid":"s-1","typ":"JWT","alg":"RS256"}""", Decode(parts[0]));
        Assert.Equal("""{"iss":"https://issuer","iat":1795521600,"sub":"x","exp":1,"n":1.0}""", Decode(parts[1]));
        Assert.Equal(
            """{"exp":1795521660,"iat":1795521600}""", Decode(JwtIssuer.Mint("{}", TimeSpan.FromSeconds(60), null, Keys.Static, Keys.Now).Split('.')[1]));
    }

    [Theory]
    [InlineData("\"tId\":\"evil\"")]
    [InlineData("\"t\\u0049d\":\"evil\"")]
    [InlineData("\"rsub\":\"root\"")]
    [InlineData("\"sub\":\"root\"")]
    [InlineData("\"exp\":9999999999")]
    [InlineData("\"antiCsrfToken\":null")]
    [InlineData("\"role\":\"user\",\"role\":\"admin\"")]
    [InlineData("\"role\":\"user\",\"ro\\u006ce\":\"admin\"")]
    public void A_token_that_says_something_twice_is_refused(string more)
    {
        var parts = AccessTokenIssuer.Mint(Content with { PayloadJson = "{}" }, Keys.Dynamic).Split('.');

        Assert.Equal(AccessTokenOutcome.Valid, Check(Sign(Decode(parts[0]), Decode(parts[1])[..^1] + ",\"role\":\"admin\"}")).Outcome);
        Assert.Equal(AccessTokenOutcome.Malformed, Check(Sign(Decode(parts[0]), Decode(parts[1])[..^1] + "," + more + "}")).Outcome);
    }

    [Fact]
    public void A_tokens_tenant_is_the_one_in_its_handle()
    {
        var content = Content with { SessionHandle = Content.SessionHandle + "_t1", TenantId = "t1", Version = AccessTokenVersion.V3 };

        Assert.Equal("t1", Check(AccessTokenIssuer.Mint(content, Keys.Dynamic)).Content!.TenantId);
        Assert.Equal("t1", Check(AccessTokenIssuer.Mint(content with { Version = AccessTokenVersion.V5 }, Keys.Dynamic)).Content!.TenantId);
        Assert.Equal(AccessTokenOutcome.Malformed, Check(AccessTokenIssuer.Mint(content with { Version = AccessTokenVersion.V5, TenantId = "public" }, Keys.Dynamic)).Outcome);
    }

    [Theory]
    [InlineData("""{"tId":"evil"}""", AccessTokenVersion.V4)]
    [InlineData("""{"a":1,"rsub":"root"}""", AccessTokenVersion.V5)]
    [InlineData("{\"t\\u0049d\":1}", AccessTokenVersion.V5)]
    public void No_token_is_minted_with_a_protected_claim(string payload, AccessTokenVersion version) =>
        Assert.Throws<ArgumentException>(() => AccessTokenIssuer.Mint(Content with { Version = version, PayloadJson = payload }, Keys.Dynamic));

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"role":"ü","list":[1,2,3]}""", "10000000-0000-0000-0000-000000000000")]
    public void The_size_of_a_token_is_known_before_it_is_minted(string payload, string? antiCsrf)
    {
        var key = SigningKey.FromRsa($"d-{Guid.Empty:D}", isDynamic: true, Keys.Now.AddDays(-1), null, Keys.FirstSecret);
        foreach (var userId in (string[])["", "u", "\u0001ü😀", new string('\u0001', 128)])
        {
            var content = Content with { UserId = userId, RecipeUserId = userId, PayloadJson = payload, AntiCsrfToken = antiCsrf };
            var length = AccessTokenIssuer.Mint(content, key).Length;

            Assert.Equal(length, AccessTokenSize.Of(content));
            Assert.False(AccessTokenSize.IsCertainlyWithin(length - 1, userId, payload));
        }
    }

    [Fact]
    public void The_largest_payload_fits_with_the_longest_ids()
    {
        var longest = new string('\u0001', 128);
        var tenant = new string('t', 64);
        var content = Content with
        {
            UserId = longest,
            RecipeUserId = longest,
            TenantId = tenant,
            SessionHandle = $"{Content.SessionHandle}_{tenant}",
            ParentRefreshTokenHash1 = Hash,
            AntiCsrfToken = Guid.Empty.ToString(),
            PayloadJson = $$"""{"x":"{{new string('x', AccessTokenSize.MaxPayload - 8)}}"}""",
        };

        Assert.Equal(AccessTokenSize.MaxPayload, AccessTokenSize.OfPayload(content.PayloadJson));
        Assert.Equal(AccessTokenOutcome.Valid, Check(AccessTokenIssuer.Mint(content, Keys.Dynamic)).Outcome);
        Assert.True(AccessTokenSize.IsCertainlyWithin(AccessTokenSize.MaxLength, longest, content.PayloadJson));
    }

    private static AccessTokenCheck Check(string? token, KeyRing? ring = null, DateTimeOffset? now = null) =>
        new AccessTokenVerifier().Verify(token, ring ?? Keys.Ring, now ?? Keys.Now);

    private static string Decode(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    private static string Sign(string header, string claims)
    {
        using var rsa = System.Security.Cryptography.RSA.Create();
        rsa.ImportPkcs8PrivateKey(Keys.FirstSecret, out _);
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        var signature = rsa.SignData(
            Encoding.ASCII.GetBytes(signed), System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}

internal static class KeySets
{
    public static IEnumerable<SecurityKey> GetSigningKeys(this JsonWebKeySet set) => set.Keys;
}
