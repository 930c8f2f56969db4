using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;
using Grid.Client;

namespace Grid.Testing;

/// <summary>The session that <c>client.WithGridSession(…)</c> gives to a client of a test.</summary>
public sealed class GridTestSession
{
    internal GridTestSession(string userId) => UserId = userId;

    /// <summary>The user it belongs to.</summary>
    public string UserId { get; }

    /// <summary>The tenant it belongs to; it must exist. Default <c>public</c>.</summary>
    public string TenantId { get; set; } = GridClientDefaults.TenantId;

    /// <summary>What the access token carries.</summary>
    public JsonObject Payload { get; } = [];

    /// <summary>Data that only back ends see.</summary>
    public JsonObject Data { get; } = [];

    /// <summary>Claims of the principal: in the payload of a session by <c>AddGrid()</c>, in the ticket of one by <c>AddGridTicketStore()</c>.</summary>
    public IList<Claim> Claims { get; } = [];

    internal Dictionary<string, JsonNode?> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Gives the user roles.</summary>
    /// <returns>This.</returns>
    public GridTestSession WithRoles(params string[] roles)
    {
        ArgumentNullException.ThrowIfNull(roles);
        Array.ForEach(roles, role => Claims.Add(new Claim(ClaimTypes.Role, role)));
        return this;
    }

    /// <summary>Sets a claim, as <c>SetClaimAsync</c> does: fetched just now.</summary>
    /// <returns>This.</returns>
    public GridTestSession With<T>(SessionClaim<T> claim, T value)
    {
        ArgumentNullException.ThrowIfNull(claim);
        Entries[claim.Key] = JsonSerializer.SerializeToNode(value);
        return this;
    }
}
