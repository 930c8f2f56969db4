using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>Puts header, claims and RS256 signature together.</summary>
internal static class SignedJwt
{
    /// <param name="key">Signs.</param>
    /// <param name="version">The header's <c>version</c>; null leaves it out.</param>
    /// <param name="claims">UTF-8 of the claims object.</param>
    public static string Create(SigningKey key, AccessTokenVersion? version, ReadOnlySpan<byte> claims)
    {
        Span<byte> header = stackalloc byte[256];
        var headerLength = WriteHeader(header, key.Kid, version);
        var size = Base64Url.GetEncodedLength(headerLength) + 1 + Base64Url.GetEncodedLength(claims.Length) + 1 + Base64Url.GetEncodedLength(key.SignatureSize);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var length = Base64Url.EncodeToUtf8(header[..headerLength], buffer);
            buffer[length++] = (byte)'.';
            length += Base64Url.EncodeToUtf8(claims, buffer.AsSpan(length));
            Span<byte> signature = stackalloc byte[key.SignatureSize];
            key.Sign(buffer.AsSpan(0, length), signature);
            buffer[length++] = (byte)'.';
            length += Base64Url.EncodeToUtf8(signature, buffer.AsSpan(length));
            return Encoding.ASCII.GetString(buffer, 0, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Bytes of an access token's header.</summary>
    public static int HeaderLength(int kidLength)
    {
        Span<byte> header = stackalloc byte[256];
        return WriteHeader(header, new string('x', kidLength), AccessTokenVersion.V5);
    }

    private static int WriteHeader(Span<byte> header, string kid, AccessTokenVersion? version)
    {
        // Key ids are ours: letters, digits and hyphens.
        var text = version is { } number
            ? $$"""{"kid":"{{kid}}","typ":"JWT","version":"{{(int)number}}","alg":"RS256"}"""
            : $$"""{"kid":"{{kid}}","typ":"JWT","alg":"RS256"}""";
        return Encoding.ASCII.GetBytes(text, header);
    }
}
