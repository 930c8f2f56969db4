using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Grid.Revocation.Registry;

/// <summary>What a service is handed when it is registered, and shows to prove that a row is its own. The registry holds its hash.</summary>
internal static class HolderSecret
{
    private const int Bytes = 32;

    /// <summary>Longest text that can be one.</summary>
    public const int MaxLength = 64;

    /// <summary>256 random bits.</summary>
    public static string Create() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>What is stored and compared.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
