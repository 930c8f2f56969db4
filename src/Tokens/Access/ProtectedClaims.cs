using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Grid.Tokens.Access;

/// <summary>Claims that belong to the session service; a user payload may not hold them.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Create".</remarks>
public static class ProtectedClaims
{
    internal static ReadOnlySpan<byte> Subject => "sub"u8;

    internal static ReadOnlySpan<byte> ExpiresAt => "exp"u8;

    internal static ReadOnlySpan<byte> IssuedAt => "iat"u8;

    internal static ReadOnlySpan<byte> SessionHandle => "sessionHandle"u8;

    internal static ReadOnlySpan<byte> RefreshTokenHash1 => "refreshTokenHash1"u8;

    internal static ReadOnlySpan<byte> ParentRefreshTokenHash1 => "parentRefreshTokenHash1"u8;

    internal static ReadOnlySpan<byte> AntiCsrfToken => "antiCsrfToken"u8;

    internal static ReadOnlySpan<byte> TenantId => "tId"u8;

    internal static ReadOnlySpan<byte> RecipeUserId => "rsub"u8;

    // Names in quotes, and the backslash of a name written otherwise: without any of these there is nothing to find.
    private static readonly SearchValues<string> Suspicious = SearchValues.Create(
        ["\"sub\"", "\"exp\"", "\"iat\"", "\"sessionHandle\"", "\"refreshTokenHash1\"", "\"parentRefreshTokenHash1\"", "\"antiCsrfToken\"", "\"tId\"", "\"rsub\"", "\\"],
        StringComparison.Ordinal);

    /// <summary>As <see cref="FindIn(ReadOnlySpan{byte}, AccessTokenVersion)"/>; costs a scan of the text where there is nothing to find.</summary>
    public static string? FindIn(string payload, AccessTokenVersion version) =>
        payload.AsSpan().ContainsAny(Suspicious) ? FindIn(Encoding.UTF8.GetBytes(payload), version) : null;

    /// <summary>The first protected claim among the members of a JSON object, or null.</summary>
    /// <param name="payload">UTF-8 of a valid JSON object.</param>
    /// <param name="version">Older formats protect fewer names.</param>
    public static string? FindIn(ReadOnlySpan<byte> payload, AccessTokenVersion version)
    {
        var json = new Utf8JsonReader(payload);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (IsProtected(ref json, version))
            {
                return json.GetString();
            }

            json.Skip();
        }

        return null;
    }

    /// <summary>Whether the property name that the reader stands on is protected.</summary>
    internal static bool IsProtected(ref Utf8JsonReader name, AccessTokenVersion version) =>
        name.ValueTextEquals(Subject) || name.ValueTextEquals(ExpiresAt) || name.ValueTextEquals(IssuedAt)
        || name.ValueTextEquals(SessionHandle) || name.ValueTextEquals(RefreshTokenHash1)
        || name.ValueTextEquals(ParentRefreshTokenHash1) || name.ValueTextEquals(AntiCsrfToken)
        || (version >= AccessTokenVersion.V4 && name.ValueTextEquals(TenantId))
        || (version >= AccessTokenVersion.V5 && name.ValueTextEquals(RecipeUserId));
}
