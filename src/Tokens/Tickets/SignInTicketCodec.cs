using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Tickets;

/// <summary>A session that a back end has ordered and a browser may fetch.</summary>
internal sealed record SignInTicket
{
    /// <summary>Text form of the app that it is valid for.</summary>
    public required string App { get; init; }

    /// <summary>Handle that the session will have. The issuer keeps a permit for it, which the first redemption uses up.</summary>
    public required string SessionHandle { get; init; }

    public required string UserId { get; init; }

    /// <summary>The account by which the user signs in, if it is linked to a user with another id.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RecipeUserId { get; init; }

    /// <summary>One JSON object.</summary>
    public required string PayloadJson { get; init; }

    /// <summary>One JSON object.</summary>
    public required string DataJson { get; init; }

    public required bool UseDynamicKey { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Neither user nor data.</summary>
    public override string ToString() => $"[sign-in ticket of session {SessionHandle}]";
}

/// <summary>Seals sign-in tickets: base64url of format, nonce, AES-256-GCM of the content, and tag. The browser that carries one cannot read it.</summary>
internal static class SignInTicketCodec
{
    private const byte Format = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int Overhead = 1 + NonceSize + TagSize;

    /// <summary>Longest text form: what the front accepts in a body.</summary>
    public const int MaxLength = 12 * 1024;

    /// <returns>Null if the content is too large for a ticket.</returns>
    public static string? Seal(SignInTicket ticket, RefreshMacKey key)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        ArgumentNullException.ThrowIfNull(key);
        var content = JsonSerializer.SerializeToUtf8Bytes(ticket);
        if (Base64Url.GetEncodedLength(content.Length + Overhead) > MaxLength)
        {
            return null;
        }

        var text = new byte[content.Length + Overhead];
        text[0] = Format;
        RandomNumberGenerator.Fill(text.AsSpan(1, NonceSize));
        using var cipher = Cipher(key);
        cipher.Encrypt(text.AsSpan(1, NonceSize), content, text.AsSpan(1 + NonceSize, content.Length), text.AsSpan(text.Length - TagSize), [Format]);
        return Base64Url.EncodeToString(text);
    }

    /// <summary>Opens a ticket that this key sealed and that has not expired; refuses anything else without an exception.</summary>
    public static bool TryOpen(string? text, RefreshMacKey key, DateTimeOffset now, [NotNullWhen(true)] out SignInTicket? ticket)
    {
        ArgumentNullException.ThrowIfNull(key);
        ticket = null;
        if (text is null || text.Length > MaxLength)
        {
            return false;
        }

        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (!CanonicalBase64Url.TryDecode(text, bytes, out var length) || length != bytes.Length || length <= Overhead || bytes[0] != Format)
        {
            return false;
        }

        var content = new byte[bytes.Length - Overhead];
        try
        {
            using var cipher = Cipher(key);
            cipher.Decrypt(bytes.AsSpan(1, NonceSize), bytes.AsSpan(1 + NonceSize, content.Length), bytes.AsSpan(bytes.Length - TagSize), content, [Format]);
            ticket = JsonSerializer.Deserialize<SignInTicket>(content);
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            return false;
        }

        if (ticket is null || ticket.ExpiresAt <= now)
        {
            ticket = null;
            return false;
        }

        return true;
    }

    // One key, one purpose: derived, so that a ticket and a refresh token can never be taken for each other.
    private static AesGcm Cipher(RefreshMacKey key)
    {
        var derived = new byte[RefreshMacKey.Size];
        key.Compute(Encoding.ASCII.GetBytes("grid sign-in ticket"), derived);
        return new AesGcm(derived, TagSize);
    }
}
