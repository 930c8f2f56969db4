using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Grid.AspNetCore.Browser;

/// <summary>What a page's script may know of a session: user, expiry and the access token's claims, not the token itself.</summary>
internal static class FrontToken
{
    /// <summary>Base64 of <c>{"uid","ate","up"}</c>; <c>ate</c> in milliseconds.</summary>
    public static string Create(string userId, DateTimeOffset expiresAt, string accessToken)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("uid"u8, userId);
            writer.WriteNumber("ate"u8, expiresAt.ToUnixTimeMilliseconds());
            writer.WritePropertyName("up"u8);
            writer.WriteRawValue(Claims(accessToken), skipInputValidation: true);
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
