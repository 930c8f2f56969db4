using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.TestKit.SuperTokens;

/// <summary>The keys of an app of a SuperTokens core, and tokens as it issues them: made from the formats alone, with nothing of Grid's.</summary>
public sealed class OriginalKeys
{
    private readonly RSA[] _dynamic;
    private readonly RSA _static;
    private readonly long[] _createdAt;

    /// <param name="generations">How many rotating keys.</param>
    /// <param name="now">The newest was made a minute before, each other a week before the next.</param>
    public OriginalKeys(int generations, DateTimeOffset now)
    {
        _dynamic = [.. Enumerable.Range(0, generations).Select(_ => RSA.Create(2048))];
        _static = RSA.Create(2048);
        _createdAt = [.. Enumerable.Range(0, generations).Select(age => (now - TimeSpan.FromMinutes(1) - (age * TimeSpan.FromDays(7))).ToUnixTimeMilliseconds())];
        StaticKid = $"s-{Guid.NewGuid():D}";
        RefreshSecret = $"1000:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(64))}:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(64))}";
    }

    /// <summary>Of <c>jwt_signing_keys</c>.</summary>
    public string StaticKid { get; }

    /// <summary>Of <c>key_value</c>.</summary>
    public string RefreshSecret { get; }

    /// <summary>How many rotating keys there are.</summary>
    public int Generations => _dynamic.Length;

    /// <summary>When each rotating key was made, the newest first.</summary>
    public IReadOnlyList<long> CreatedAt => _createdAt;

    /// <summary>Text of a rotating key in its table.</summary>
    public string DynamicValue(int generation) => $"{Public(_dynamic[generation])};{Private(_dynamic[generation])}";

    /// <summary>Text of the static key in its table.</summary>
    public string StaticValue() => $"{Public(_static)}|{Private(_static)}";

    /// <summary>An access token of version 5.</summary>
    /// <param name="session">Whose.</param>
    /// <param name="refreshToken">That came with it.</param>
    /// <param name="parentRefreshToken">Which that one came from; null for none.</param>
    /// <param name="generation">The rotating key that signs; -1 is the static one.</param>
    /// <param name="now">When it is issued.</param>
    /// <param name="validity">For how long.</param>
    public string AccessToken(OriginalSession session, string refreshToken, string? parentRefreshToken, int generation, DateTimeOffset now, TimeSpan? validity = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        var kid = generation < 0 ? StaticKid : $"d-{_createdAt[generation]}";
        var header = $$"""{"kid":"{{kid}}","typ":"JWT","version":"5","alg":"RS256"}""";
        var claims = JsonNode.Parse(session.Payload)!.AsObject();
        claims["sub"] = session.UserId;
        claims["exp"] = (now + (validity ?? TimeSpan.FromHours(1))).ToUnixTimeSeconds();
        claims["iat"] = now.ToUnixTimeSeconds();
        claims["sessionHandle"] = session.Handle;
        claims["refreshTokenHash1"] = Hash(refreshToken);
        claims["parentRefreshTokenHash1"] = parentRefreshToken is null ? null : Hash(parentRefreshToken);
        claims["antiCsrfToken"] = session.AntiCsrf;
        claims["tId"] = session.Tenant;
        claims["rsub"] = session.UserId;
        var text = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        var key = generation < 0 ? _static : _dynamic[generation];
        return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>A refresh token of version 2.</summary>
    /// <param name="session">Whose.</param>
    /// <param name="parent">The token that it is exchanged for; null for the first.</param>
    public string RefreshToken(OriginalSession session, string? parent = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        var nonce = Hash(Guid.NewGuid().ToString());
        var content = new Dictionary<string, string> { ["sessionHandle"] = session.Handle, ["userId"] = session.UserId };
        if (parent is not null)
        {
            content["parentRefreshTokenHash1"] = Hash(parent);
        }

        content["nonce"] = nonce;
        if (session.AntiCsrf is { } antiCsrf)
        {
            content["antiCsrfToken"] = antiCsrf;
        }

        return $"{Seal(JsonSerializer.SerializeToUtf8Bytes(content), RefreshSecret)}.{nonce}.V2";
    }

    /// <summary>Encrypts as the core does.</summary>
    public static string Seal(byte[] content, string secret)
    {
        ArgumentNullException.ThrowIfNull(content);
        var iv = RandomNumberGenerator.GetBytes(12);
        var box = new byte[content.Length];
        var tag = new byte[16];
        using var aes = new AesGcm(Rfc2898DeriveBytes.Pbkdf2(secret, iv, 100, HashAlgorithmName.SHA512, 32), tag.Length);
        aes.Encrypt(iv, content, box, tag);
        return Convert.ToBase64String([.. iv, .. box, .. tag]);
    }

    /// <summary>SHA-256 of a text, in lower-case hexadecimal digits.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Public(RSA key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

    private static string Private(RSA key) => Convert.ToBase64String(key.ExportPkcs8PrivateKey());

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}

/// <summary>A session of the original.</summary>
/// <param name="App">Its app.</param>
/// <param name="Tenant">Its tenant.</param>
/// <param name="UserId">Its user.</param>
/// <param name="Payload">JSON object: claims of its access tokens.</param>
/// <param name="AntiCsrf">The anti-CSRF token of its tokens; null for none.</param>
public sealed record OriginalSession(string App, string Tenant, string UserId, string Payload = """{"role":"user"}""", string? AntiCsrf = null)
{
    /// <summary>A UUID of version 4, and the tenant behind it.</summary>
    public string Handle { get; } = Guid.NewGuid().ToString("D") + (Tenant == "public" ? "" : "_" + Tenant);
}
