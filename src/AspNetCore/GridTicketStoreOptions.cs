using System.Security.Claims;

namespace Grid.AspNetCore;

/// <summary>How the tickets of a cookie scheme become sessions.</summary>
/// <remarks>Where Grid is says <c>services.AddGridClient(…)</c>, else the connection string <c>Grid</c>.</remarks>
public sealed class GridTicketStoreOptions
{
    /// <summary>Type of the principal's claim that is the session's user id. Default <see cref="ClaimTypes.NameIdentifier"/>, which Identity sets.</summary>
    public string UserIdClaimType { get; set; } = ClaimTypes.NameIdentifier;

    /// <summary>The tenant that sessions belong to; it must exist. Default <c>public</c>.</summary>
    public string TenantId { get; set; } = GridDefaults.TenantId;

    /// <summary>Type of a claim that names the tenant instead, where the principal has one. Default none.</summary>
    public string? TenantIdClaimType { get; set; }

    /// <summary>
    /// How old a ticket in this process's memory may be. Default one minute, at most one hour; zero reads it for each request. Whatever it
    /// says, a session that ends is refused at once. What an application changes in the ticket of a session that goes on
    /// (<c>CookieValidatePrincipalContext.ReplacePrincipal</c>) is seen by other processes this much later, and so
    /// is a Data Protection key that is revoked. In an app whose stale sessions are
    /// accepted (<c>Grid:Session:StaleBehaviour</c> <c>Bounded</c>) it is also how long a ticket does without Grid.
    /// </summary>
    public TimeSpan ReadAgainAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>What the tickets in this process's memory may take, in bytes, about. Default 64 MB; what nobody asks for goes first.</summary>
    public long MemoryLimit { get; set; } = 64 * 1024 * 1024;
}
