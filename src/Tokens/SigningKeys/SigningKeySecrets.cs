using System.Security.Cryptography;

namespace Grid.Tokens.SigningKeys;

/// <summary>Creates key material.</summary>
internal static class SigningKeySecrets
{
    /// <summary>RSA 2048: what every SuperTokens SDK verifies. About 112 bits of strength.</summary>
    private const int RsaBits = 2048;

    /// <summary>A new RSA key, PKCS#8.</summary>
    public static byte[] CreateRsa()
    {
        using var rsa = RSA.Create(RsaBits);
        return rsa.ExportPkcs8PrivateKey();
    }

    /// <summary>A new MAC key, 32 bytes.</summary>
    public static byte[] CreateMac() => RandomNumberGenerator.GetBytes(32);
}
