using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Grid.Revocation.Registry;

/// <summary>Given to a service at registration, and presented by it to prove that a row is its own. The registry holds its hash.</summary>
internal static class HolderSecret
{
    private const int Bytes = 32;

    /// <summary>Longer text cannot be a secret.</summary>
    public const int MaxLength = 64;

    /// <summary>A new secret of 256 random bits.</summary>
    public static string Create() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>What is stored and compared.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
