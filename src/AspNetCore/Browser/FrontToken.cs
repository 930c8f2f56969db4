using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grid.AspNetCore.Authentication;

namespace Grid.AspNetCore.Browser;

/// <summary>What a page's script may know of a session: user, expiry and the access token's claims, not the token itself.</summary>
internal static class FrontToken
{
    /// <summary>Base64 of <c>{"uid","ate","up"}</c>; <c>ate</c> in milliseconds.</summary>
    public static string Create(string userId, DateTimeOffset expiresAt, string accessToken) => Create(userId, expiresAt, accessToken, out _);

    /// <inheritdoc cref="Create(string, DateTimeOffset, string)"/>
    /// <param name="userId">The user.</param>
    /// <param name="expiresAt">When the token expires.</param>
    /// <param name="accessToken">The token.</param>
    /// <param name="untilClosed">Whether its cookies end with the browser.</param>
    public static string Create(string userId, DateTimeOffset expiresAt, string accessToken, out bool untilClosed)
    {
        var claims = Claims(accessToken);
        untilClosed = claims.AsSpan().IndexOf(SignInProperties.UntilClosedText) >= 0;
        var json = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("uid"u8, userId);
            writer.WriteNumber("ate"u8, expiresAt.ToUnixTimeMilliseconds());
            writer.WritePropertyName("up"u8);
            writer.WriteRawValue(claims, skipInputValidation: true);
            writer.WriteEndObject();
        }

        return Convert.ToBase64String(json.WrittenSpan);
    }

    // The token is ours and was just made or checked.
    private static byte[] Claims(string accessToken)
    {
        var first = accessToken.IndexOf('.', StringComparison.Ordinal);
        var last = accessToken.LastIndexOf('.');
        return Base64Url.DecodeFromChars(accessToken.AsSpan(first + 1, last - first - 1));
    }
}
