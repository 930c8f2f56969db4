using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>JWTs with a payload of the caller's choice (<c>POST /recipe/jwt</c>).</summary>
public static class JwtIssuer
{
    private static readonly JsonWriterOptions WriterOptions = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="payloadJson">A valid JSON object; its <c>iss</c>, <c>exp</c> and <c>iat</c> are replaced.</param>
    /// <param name="validity">From now to <c>exp</c>.</param>
    /// <param name="issuer"><c>iss</c>; null leaves the payload's own.</param>
    /// <param name="key">Signs.</param>
    /// <param name="now">The present.</param>
    public static string Mint(string payloadJson, TimeSpan validity, string? issuer, SigningKey key, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(payloadJson);
        ArgumentNullException.ThrowIfNull(key);
        var claims = new ArrayBufferWriter<byte>(256 + payloadJson.Length);
        var source = Encoding.UTF8.GetBytes(payloadJson);
        using (var json = new Utf8JsonWriter(claims, WriterOptions))
        {
            json.WriteStartObject();
            if (issuer is not null)
            {
                json.WriteString("iss"u8, issuer);
            }

            json.WriteNumber("exp"u8, (now + validity).ToUnixTimeSeconds());
            json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
            var reader = new Utf8JsonReader(source);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var replaced = reader.ValueTextEquals("exp"u8) || reader.ValueTextEquals("iat"u8)
                    || (issuer is not null && reader.ValueTextEquals("iss"u8));
                var name = replaced ? null : reader.GetString();
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (name is not null)
                {
                    json.WritePropertyName(name);
                    json.WriteRawValue(source.AsSpan(start, (int)reader.BytesConsumed - start), skipInputValidation: true);
                }
            }

            json.WriteEndObject();
        }

        return SignedJwt.Create(key, version: null, claims.WrittenSpan);
    }
}
