using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Refresh;

/// <summary>Writes and reads refresh tokens: base64url of format, secret, fields and a MAC over all of it.</summary>
/// <remarks>Opaque to clients; what it must carry is in <c>docs/protocol/core.md</c>, "Tokens".</remarks>
internal static class RefreshTokenCodec
{
    private const byte Format = 1;
    private const int SecretSize = 24;
    private const int MaxFieldSize = 255;

    // Format, secret, three lengths, parent, MAC; the fields are bounded by their length byte.
    private const int MaxSize = 1 + SecretSize + (3 * (1 + MaxFieldSize)) + 1 + TokenHash.Size + RefreshMacKey.Size;
    private const int MinSize = 1 + SecretSize + 3 + 1 + RefreshMacKey.Size;
    private const int MaxTextLength = ((MaxSize + 2) / 3) * 4;
    private const int MinTextLength = MinSize * 4 / 3;

    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>A new token; two with the same content differ in 192 random bits.</summary>
    /// <exception cref="ArgumentException">A field is longer than 255 bytes.</exception>
    public static string Mint(RefreshTokenContent content, RefreshMacKey mac)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(mac);
        Span<byte> token = stackalloc byte[MaxSize];
        token[0] = Format;
        RandomNumberGenerator.Fill(token.Slice(1, SecretSize));
        var length = 1 + SecretSize;
        length += WriteField(token[length..], content.App);
        length += WriteField(token[length..], content.SessionHandle);
        length += WriteField(token[length..], content.AntiCsrfToken ?? "");
        token[length++] = content.ParentHash1 is null ? (byte)0 : (byte)1;
        if (content.ParentHash1 is { } parent)
        {
            parent.CopyTo(token[length..]);
            length += TokenHash.Size;
        }

        mac.Compute(token[..length], token.Slice(length, RefreshMacKey.Size));
        return Base64Url.EncodeToString(token[..(length + RefreshMacKey.Size)]);
    }

    /// <summary>Reads a token that this key made; refuses anything else without an exception.</summary>
    public static bool TryRead(string? token, RefreshMacKey mac, [NotNullWhen(true)] out RefreshTokenContent? content)
    {
        ArgumentNullException.ThrowIfNull(mac);
        content = null;
        if (token is null || token.Length > MaxTextLength)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[MaxSize];
        if (!CanonicalBase64Url.TryDecode(token, bytes, out var length) || length < MinSize || bytes[0] != Format)
        {
            return false;
        }

        bytes = bytes[..length];
        Span<byte> expected = stackalloc byte[RefreshMacKey.Size];
        mac.Compute(bytes[..^RefreshMacKey.Size], expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, bytes[^RefreshMacKey.Size..]))
        {
            return false;
        }

        // Authentic from here on, so ours: the lengths can be trusted, a surprise is still refused.
        ReadOnlySpan<byte> rest = bytes[(1 + SecretSize)..^RefreshMacKey.Size];
        if (!TryReadField(ref rest, out var app) || !TryReadField(ref rest, out var handle) || !TryReadField(ref rest, out var antiCsrf) || rest.IsEmpty)
        {
            return false;
        }

        TokenHash? parent = null;
        if (rest[0] == 1 && rest.Length == 1 + TokenHash.Size)
        {
            parent = TokenHash.FromBytes(rest[1..]);
        }
        else if (rest[0] != 0 || rest.Length != 1)
        {
            return false;
        }

        content = new RefreshTokenContent(app, handle, parent, antiCsrf.Length == 0 ? null : antiCsrf);
        return true;
    }

    /// <summary>Whether text has a refresh token's length and alphabet. Proves nothing.</summary>
    public static bool LooksOurs(string? token) => token is { Length: >= MinTextLength and <= MaxTextLength } && !token.AsSpan().ContainsAnyExcept(Letters);

    private static int WriteField(Span<byte> target, string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        if (size > MaxFieldSize)
        {
            throw new ArgumentException($"A field of a refresh token has at most {MaxFieldSize} bytes, not {size}.");
        }

        target[0] = (byte)size;
        return 1 + Encoding.UTF8.GetBytes(value, target[1..]);
    }

    private static bool TryReadField(ref ReadOnlySpan<byte> rest, [NotNullWhen(true)] out string? value)
    {
        value = null;
        if (rest.IsEmpty || rest.Length < 1 + rest[0])
        {
            return false;
        }

        value = Encoding.UTF8.GetString(rest.Slice(1, rest[0]));
        rest = rest[(1 + rest[0])..];
        return true;
    }
}
