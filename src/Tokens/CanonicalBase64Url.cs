using System.Buffers;
using System.Buffers.Text;

namespace Grid.Tokens;

/// <summary>Base64url (RFC 4648, section 5) with exactly one spelling for each sequence of bytes: one token, one text, one hash.</summary>
internal static class CanonicalBase64Url
{
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Decodes canonical base64url: no padding, no white space, no spare bits.</summary>
    public static bool TryDecode(ReadOnlySpan<char> encoded, Span<byte> target, out int length)
    {
        length = 0;
        if (Base64Url.GetMaxDecodedLength(encoded.Length) > target.Length || encoded.ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        return Base64Url.DecodeFromChars(encoded, target, out _, out length) == OperationStatus.Done && HasNoSpareBits(encoded);
    }

    private static bool HasNoSpareBits(ReadOnlySpan<char> encoded)
    {
        var spare = (encoded.Length % 4) switch { 2 => 0b1111, 3 => 0b11, _ => 0 };
        return spare == 0 || (SixBits(encoded[^1]) & spare) == 0;
    }

    private static int SixBits(char digit) => digit switch
    {
        >= 'A' and <= 'Z' => digit - 'A',
        >= 'a' and <= 'z' => digit - 'a' + 26,
        >= '0' and <= '9' => digit - '0' + 52,
        '-' => 62,
        _ => 63,
    };
}
