using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>JWTs with a payload of the caller's choice (<c>POST /recipe/jwt</c>).</summary>
internal static class JwtIssuer
{
    private static readonly JsonWriterOptions WriterOptions = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="payloadJson">A valid JSON object without a member twice. The rest gives only what it does not say.</param>
    /// <param name="validity">From now to <c>exp</c>.</param>
    /// <param name="issuer"><c>iss</c>; null: none.</param>
    /// <param name="key">Signs.</param>
    /// <param name="now">The present.</param>
    public static string Mint(string payloadJson, TimeSpan validity, string? issuer, SigningKey key, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(payloadJson);
        ArgumentNullException.ThrowIfNull(key);
        var claims = new ArrayBufferWriter<byte>(256 + payloadJson.Length);
        using (var payload = JsonDocument.Parse(payloadJson))
        using (var json = new Utf8JsonWriter(claims, WriterOptions))
        {
            var own = payload.RootElement;
            json.WriteStartObject();
            if (issuer is not null && !own.TryGetProperty("iss"u8, out _))
            {
                json.WriteString("iss"u8, issuer);
            }

            if (!own.TryGetProperty("exp"u8, out _))
            {
                json.WriteNumber("exp"u8, (now + validity).ToUnixTimeSeconds());
            }

            if (!own.TryGetProperty("iat"u8, out _))
            {
                json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
            }

            foreach (var member in own.EnumerateObject())
            {
                json.WritePropertyName(member.Name);
                json.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return SignedJwt.Create(key, version: null, claims.WrittenSpan);
    }
}
