using System.Diagnostics.CodeAnalysis;

namespace Grid.Tokens;

/// <summary>A session handle as text: a UUID, and <c>_tenant</c> behind it for tenants other than <see cref="PublicTenant"/>.</summary>
public static class SessionHandleText
{
    /// <summary>The tenant that handles do not name.</summary>
    public const string PublicTenant = "public";

    private const int IdLength = 36;

    /// <summary>Reads it. Only the canonical spelling is a handle; everything else names no session.</summary>
    /// <param name="text">Text from a caller, not yet trusted.</param>
    /// <param name="id">The UUID, which names a session together with app and tenant only.</param>
    /// <param name="tenantId">The tenant.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out Guid id, [NotNullWhen(true)] out string? tenantId)
    {
        (id, tenantId) = (Guid.Empty, null);
        if (text is null || text.Length < IdLength || !Guid.TryParseExact(text.AsSpan(0, IdLength), "D", out id)
            || text.AsSpan(0, IdLength).ContainsAnyInRange('A', 'F'))
        {
            return false;
        }

        tenantId = text.Length == IdLength ? PublicTenant : text[IdLength] == '_' && text.Length > IdLength + 1 ? text[(IdLength + 1)..] : null;
        return tenantId is not null;
    }
}
