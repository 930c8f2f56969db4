using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Grid.Tokens.SigningKeys;

/// <summary>An RSA key that signs and verifies JWTs with RS256.</summary>
public sealed class SigningKey
{
    // OpenSSL's RSA may be used by several threads at once; .NET wraps it without state of its own in sign and verify.
    private readonly RSA _rsa;

    private SigningKey(string kid, bool isDynamic, DateTimeOffset signsFrom, DateTimeOffset? verifiesUntil, RSA rsa)
    {
        (Kid, IsDynamic, SignsFrom, VerifiesUntil, _rsa) = (kid, isDynamic, signsFrom, verifiesUntil, rsa);
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        Modulus = Base64Url.EncodeToString(parameters.Modulus);
        Exponent = Base64Url.EncodeToString(parameters.Exponent);
    }

    /// <summary><c>d-…</c> for dynamic keys, <c>s-…</c> for the static one.</summary>
    public string Kid { get; }

    /// <summary>Whether it rotates.</summary>
    public bool IsDynamic { get; }

    /// <summary>When it starts to sign, until a later one does.</summary>
    public DateTimeOffset SignsFrom { get; }

    /// <summary>When its signatures stop being accepted; null: never.</summary>
    public DateTimeOffset? VerifiesUntil { get; }

    internal string Modulus { get; }

    internal string Exponent { get; }

    internal int SignatureSize => _rsa.KeySize / 8;

    /// <param name="kid">Key id.</param>
    /// <param name="isDynamic">Rotating or static.</param>
    /// <param name="signsFrom">Start of use.</param>
    /// <param name="verifiesUntil">End of use; null = never.</param>
    /// <param name="pkcs8">Private key.</param>
    internal static SigningKey FromRsa(string kid, bool isDynamic, DateTimeOffset signsFrom, DateTimeOffset? verifiesUntil, ReadOnlySpan<byte> pkcs8)
    {
        ArgumentException.ThrowIfNullOrEmpty(kid);
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(pkcs8, out _);
        return new SigningKey(kid, isDynamic, signsFrom, verifiesUntil, rsa);
    }

    /// <summary>A published key, which can only verify; null if the entry is not an RSA key for RS256.</summary>
    internal static SigningKey? FromJwk(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || Text("kty") != "RSA" || Text("alg") is not ("RS256" or null)
            || Text("kid") is not { Length: > 0 } kid || Text("n") is not { } modulus || Text("e") is not { } exponent)
        {
            return null;
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportParameters(new RSAParameters { Modulus = Base64Url.DecodeFromChars(modulus), Exponent = Base64Url.DecodeFromChars(exponent) });
            return new SigningKey(kid, kid.StartsWith("d-", StringComparison.Ordinal), DateTimeOffset.MinValue, null, rsa);
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException)
        {
            rsa.Dispose();
            return null;
        }

        string? Text(string name) => entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    /// <summary>Only the id: private parts have no text form.</summary>
    public override string ToString() => Kid;

    internal void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        if (!_rsa.TrySignData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, out var written) || written != SignatureSize)
        {
            throw new CryptographicException($"Key {Kid} produced no signature.");
        }
    }

    internal bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        signature.Length == SignatureSize && _rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    internal bool VerifiesAt(DateTimeOffset now) => VerifiesUntil is not { } end || now < end;

    internal void AppendJwk(StringBuilder json) => json
        .Append("""{"kty":"RSA","kid":""").Append('"').Append(Kid).Append('"')
        .Append(""","n":""").Append('"').Append(Modulus).Append('"')
        .Append(""","e":""").Append('"').Append(Exponent).Append('"')
        .Append(""","alg":"RS256","use":"sig"}""");
}
