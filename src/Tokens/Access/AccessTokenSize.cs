using System.Buffers.Text;
using System.Text;

namespace Grid.Tokens.Access;

/// <summary>Predicts the length of an access token, before anything is written that it must carry.</summary>
public static class AccessTokenSize
{
    /// <summary>Longest access token, in characters: what verifiers read.</summary>
    public const int MaxLength = AccessTokenReader.MaxLength;

    /// <summary>Largest payload, in bytes of UTF-8: with the longest ids its token stays below <see cref="MaxLength"/>.</summary>
    public const int MaxPayload = 20 * 1024;

    // Key ids are a letter, a hyphen and a UUID; RSA-2048 signs with 256 bytes.
    private const int KidLength = 38;
    private const int SignatureSize = 256;

    // Names, times, hashes, handle, and room: a claim that is left out counts too.
    private const int FixedClaims = 700;

    private static readonly int HeaderLength = SignedJwt.HeaderLength(KidLength);

    /// <summary>Bytes of a payload as UTF-8.</summary>
    public static int OfPayload(string payloadJson) => Encoding.UTF8.GetByteCount(payloadJson);

    /// <summary>Characters of the token that would be minted.</summary>
    public static int Of(AccessTokenContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return Token(AccessTokenIssuer.WriteClaims(content).WrittenCount);
    }

    /// <summary>Whether a token certainly has no more than <paramref name="maxLength"/> characters. Allocates nothing; false only means that it has to be measured.</summary>
    public static bool IsCertainlyWithin(int maxLength, string userId, string payloadJson)
    {
        ArgumentNullException.ThrowIfNull(userId);
        ArgumentNullException.ThrowIfNull(payloadJson);

        // JSON makes six bytes of a character at most, and the id is there twice.
        return Token(FixedClaims + (12 * userId.Length) + OfPayload(payloadJson)) <= maxLength;
    }

    private static int Token(int claims) =>
        Base64Url.GetEncodedLength(HeaderLength) + 1 + Base64Url.GetEncodedLength(claims) + 1 + Base64Url.GetEncodedLength(SignatureSize);
}
