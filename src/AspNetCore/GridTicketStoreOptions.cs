using System.Security.Claims;

namespace Grid.AspNetCore;

/// <summary>How the tickets of a cookie scheme become sessions.</summary>
/// <remarks>Grid's address is set with <c>services.AddGridClient(…)</c> or the connection string <c>Grid</c>.</remarks>
public sealed class GridTicketStoreOptions
{
    /// <summary>
    /// The type of the principal's claim that becomes the session's user id. Default <see cref="ClaimTypes.NameIdentifier"/>, which
    /// Identity sets.
    /// </summary>
    public string UserIdClaimType { get; set; } = ClaimTypes.NameIdentifier;

    /// <summary>The tenant that sessions belong to; it must exist. Default <c>public</c>.</summary>
    public string TenantId { get; set; } = GridDefaults.TenantId;

    /// <summary>The type of a claim that names the tenant; it takes precedence if the principal has one. Default none.</summary>
    public string? TenantIdClaimType { get; set; }

    /// <summary>
    /// How long a ticket may be used from this process's memory. Default one minute, at most one hour; zero reads it for every request. A
    /// session that has ended is refused at once regardless. Changes to the ticket of an active session
    /// (<c>CookieValidatePrincipalContext.ReplacePrincipal</c>), and the revocation of a Data Protection key, reach other processes with this
    /// delay. In an app that accepts stale sessions (<c>Grid:Session:StaleBehaviour</c> <c>Bounded</c>), also how long a ticket can be used
    /// while Grid is unavailable.
    /// </summary>
    public TimeSpan ReadAgainAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Approximate limit for the tickets in this process's memory, in bytes. Default 64 MB; the least recently used go first.
    /// </summary>
    public long MemoryLimit { get; set; } = 64 * 1024 * 1024;
}
