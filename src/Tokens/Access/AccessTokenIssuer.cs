using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Access;

/// <summary>Writes and signs access tokens.</summary>
internal static class AccessTokenIssuer
{
    // Names may hold any character; what JSON does not need escaped goes out as it is, as other implementations do.
    private static readonly JsonWriterOptions WriterOptions = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The signed token: protected claims in the protocol's order, then the user's, with each value's original text.</summary>
    /// <exception cref="ArgumentException">The payload holds a claim that is protected in this version.</exception>
    public static string Mint(AccessTokenContent content, SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(key);
        if (ProtectedClaims.FindIn(content.PayloadJson, content.Version) is { } name)
        {
            // Callers have refused it before: signed, the claim would be there twice, and readers would differ in which one they take.
            throw new ArgumentException($"The payload holds the protected claim '{name}'.", nameof(content));
        }

        return SignedJwt.Create(key, content.Version, WriteClaims(content).WrittenSpan);
    }

    /// <summary>UTF-8 of the claims object.</summary>
    internal static ArrayBufferWriter<byte> WriteClaims(AccessTokenContent content)
    {
        var claims = new ArrayBufferWriter<byte>(512 + content.PayloadJson.Length);
        using (var json = new Utf8JsonWriter(claims, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString(ProtectedClaims.Subject, content.UserId);
            json.WriteNumber(ProtectedClaims.ExpiresAt, content.ExpiresAt.ToUnixTimeSeconds());
            json.WriteNumber(ProtectedClaims.IssuedAt, content.IssuedAt.ToUnixTimeSeconds());
            if (content.Version >= AccessTokenVersion.V4)
            {
                json.WriteString(ProtectedClaims.TenantId, content.TenantId);
            }

            if (content.Version >= AccessTokenVersion.V5)
            {
                json.WriteString(ProtectedClaims.RecipeUserId, content.RecipeUserId);
            }

            json.WriteString(ProtectedClaims.SessionHandle, content.SessionHandle);
            json.WriteString(ProtectedClaims.RefreshTokenHash1, content.RefreshTokenHash1);
            WriteStringOrNull(json, ProtectedClaims.ParentRefreshTokenHash1, content.ParentRefreshTokenHash1);
            WriteStringOrNull(json, ProtectedClaims.AntiCsrfToken, content.AntiCsrfToken);
            json.Flush();
        }

        AppendMembers(claims, content.PayloadJson);
        return claims;
    }

    // The object is open: its members follow after a comma, with any white space that the client sent.
    private static void AppendMembers(ArrayBufferWriter<byte> claims, string payloadJson)
    {
        var members = payloadJson.AsSpan().Trim(" \t\r\n")[1..^1].Trim(" \t\r\n");
        if (!members.IsEmpty)
        {
            claims.Write(","u8);
            Encoding.UTF8.GetBytes(members, claims);
        }

        claims.Write("}"u8);
    }

    private static void WriteStringOrNull(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }
}
