using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;

namespace Grid.Tokens.Refresh;

/// <summary>Opens the refresh tokens that a SuperTokens core gave out before its sessions came here. Nothing is minted with it.</summary>
/// <remarks>
/// Such a token is <c>box.nonce.V2</c>: the box, in base64, has an AES-GCM nonce (12 bytes), ciphertext and tag (16) of a JSON object that
/// repeats the token's nonce; the AES key is derived from the core's own key by PBKDF2 with the box's nonce as salt. <c>V1</c> is read alike.
/// </remarks>
internal sealed class ImportedRefreshKey(string kid, string secret)
{
    private const int SaltSize = 12;
    private const int TagSize = 16;
    private const int NonceDigits = 64;
    private const int Iterations = 100;

    // Handle, user id (128 characters of any script), two hashes and an anti-CSRF token fit in half of it.
    private const int MaxLength = 4096;
    private const int MinLength = NonceDigits + 5;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> Base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");

    /// <summary><c>r-…</c>.</summary>
    public string Kid { get; } = kid;

    /// <summary>Whether text has the form of such a token. Proves nothing.</summary>
    public static bool LooksForeign([NotNullWhen(true)] string? token) => token is { Length: > MinLength and <= MaxLength }
        && token.AsSpan(token.Length - 3) is ".V2" or ".V1"
        && token[^(NonceDigits + 4)] == '.'
        && !token.AsSpan(token.Length - NonceDigits - 3, NonceDigits).ContainsAnyExcept(Hex)
        && !token.AsSpan(0, token.Length - NonceDigits - 4).ContainsAnyExcept(Base64);

    /// <summary>Opens a token that this key's core made; refuses anything else without an exception.</summary>
    /// <param name="token">As presented.</param>
    /// <param name="app">The app that the key belongs to: the token does not name it.</param>
    /// <param name="content">What Grid's own tokens hold, too.</param>
    public bool TryOpen([NotNullWhen(true)] string? token, string app, [NotNullWhen(true)] out RefreshTokenContent? content)
    {
        content = null;
        if (!LooksForeign(token))
        {
            return false;
        }

        var text = token.AsSpan(0, token.Length - NonceDigits - 4);
        Span<byte> box = stackalloc byte[MaxLength / 4 * 3];
        if (!Convert.TryFromBase64Chars(text, box, out var length) || length <= SaltSize + TagSize)
        {
            return false;
        }

        box = box[..length];
        Span<byte> key = stackalloc byte[32];
        Rfc2898DeriveBytes.Pbkdf2(secret, box[..SaltSize], key, Iterations, HashAlgorithmName.SHA512);
        var json = new byte[length - SaltSize - TagSize];
        using var aes = new AesGcm(key, TagSize);
        try
        {
            aes.Decrypt(box[..SaltSize], box[SaltSize..^TagSize], box[^TagSize..], json);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        content = Read(json, token.AsSpan(token.Length - NonceDigits - 3, NonceDigits), app);
        return content is not null;
    }

    /// <summary>Only the id.</summary>
    public override string ToString() => Kid;

    // Authentic from here on; a surprise is still refused.
    private static RefreshTokenContent? Read(byte[] json, ReadOnlySpan<char> nonce, string app)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var payload = document.RootElement;
            if (payload.ValueKind != JsonValueKind.Object || Text("sessionHandle") is not { } handle || Text("userId") is null || Text("nonce") is not { } inside
                || !inside.AsSpan().SequenceEqual(nonce))
            {
                return null;
            }

            TokenHash? parent = null;
            if (Text("parentRefreshTokenHash1") is { } hex)
            {
                if (!TokenHash.TryParseHex(hex, out var hash))
                {
                    return null;
                }

                parent = hash;
            }

            return new RefreshTokenContent(app, handle, parent, Text("antiCsrfToken"));

            string? Text(string name) => payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
