using System.Security.Cryptography;

namespace Grid.Tokens.SigningKeys;

/// <summary>The secret that authenticates an app's refresh tokens, so that garbage is refused without a look-up.</summary>
internal sealed class RefreshMacKey(string kid, ReadOnlySpan<byte> secret)
{
    /// <summary>Bytes of a MAC.</summary>
    public const int Size = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _secret = secret.ToArray();

    /// <summary><c>m-…</c>.</summary>
    public string Kid { get; } = kid;

    /// <summary>Only the id.</summary>
    public override string ToString() => Kid;

    internal void Compute(ReadOnlySpan<byte> data, Span<byte> mac) => HMACSHA256.HashData(_secret, data, mac);
}
