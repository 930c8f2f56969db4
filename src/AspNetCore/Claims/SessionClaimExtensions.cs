using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Client;

namespace Grid.AspNetCore.Claims;

/// <summary>Claims of any session, by its handle. Of the request's own session use <see cref="GridSession"/>: its browser gets a new access token.</summary>
public static class SessionClaimExtensions
{
    /// <summary>Sets a claim, which the session's next access token will carry.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="handle">The session.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="value">Its value.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="clock">Says when the value was known; null for the system's.</param>
    /// <returns>False if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    public static async Task<bool> SetClaimAsync<T>(
        this IGridSessions sessions, string handle, SessionClaim<T> claim, T value, CancellationToken cancellationToken, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        ArgumentNullException.ThrowIfNull(claim);
        var changes = new JsonObject { [claim.Key] = SessionClaim.Entry(JsonSerializer.SerializeToNode(value), (clock ?? TimeProvider.System).GetUtcNow()) };
        return await sessions.MergePayloadAsync(handle, changes.ToJsonString(), cancellationToken) is not null;
    }

    /// <summary>Removes a claim; the session's next access token will lack it.</summary>
    /// <returns>False if there is no such session.</returns>
    /// <exception cref="GridException">Grid is unavailable, or rejects the call; see <see cref="GridException.Reason"/>.</exception>
    public static async Task<bool> RemoveClaimAsync(this IGridSessions sessions, string handle, SessionClaim claim, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        ArgumentNullException.ThrowIfNull(claim);
        return await sessions.MergePayloadAsync(handle, new JsonObject { [claim.Key] = null }.ToJsonString(), cancellationToken) is not null;
    }
}
