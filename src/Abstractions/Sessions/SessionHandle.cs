using System.Diagnostics.CodeAnalysis;
using Grid.Abstractions.Apps;
using Grid.Tokens;

namespace Grid.Abstractions.Sessions;

/// <summary>Public name of a session, not a secret: a UUID, and <c>_tenant</c> behind it for tenants other than <c>public</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Handles and ids".</remarks>
[GenerateSerializer, Immutable, Alias("grid.session-handle")]
public readonly record struct SessionHandle([property: Id(0)] Guid Id, [property: Id(1)] string TenantId)
{
    /// <summary>A new handle. Version 7, so that the store's index grows at its end; 74 random bits.</summary>
    public static SessionHandle Create(string tenantId, DateTimeOffset now) => new(Guid.CreateVersion7(now), tenantId);

    /// <summary>Reads the text form. Only the canonical spelling is a handle; everything else names no session.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionHandle handle)
    {
        var isHandle = SessionHandleText.TryParse(text, out var id, out var tenantId);
        handle = isHandle ? new SessionHandle(id, tenantId!) : default;
        return isHandle;
    }

    /// <summary>Compares ids first: they are random, so text is hardly ever compared in vain.</summary>
    public bool Equals(SessionHandle other) => Id == other.Id && TenantId == other.TenantId;

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();

    /// <summary>The text form.</summary>
    public override string ToString() => TenantId == TenantKey.PublicId ? Id.ToString("D") : $"{Id:D}_{TenantId}";
}
