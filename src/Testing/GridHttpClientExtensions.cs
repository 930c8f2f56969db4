using System.Security.Claims;
using Grid.Testing;
using Grid.Testing.Applications;

namespace System.Net.Http;

/// <summary><c>client.WithGridSession("alice")</c>.</summary>
public static class GridHttpClientExtensions
{
    /// <summary>
    /// Signs the client in: its first request creates a session, and it then behaves as a browser with an SDK does. It sends a current access token
    /// with each request, takes over the tokens that answers carry, and drops them when the session has ended.
    /// </summary>
    /// <remarks>
    /// For clients of a <c>WebApplicationFactory</c> with <c>WithGridSessions()</c> or <c>WithGrid(host)</c>. A request that has a session of its own, by
    /// cookie or bearer token, keeps it. Cookie schemes with <c>AddGridTicketStore()</c> are signed in as well.
    /// </remarks>
    /// <param name="client">The test's.</param>
    /// <param name="userId">The user.</param>
    /// <param name="claims">
    /// Kept as <c>SignInAsync(principal)</c> keeps them: roles become roles, any other claim a member of the payload by its type, as a list if there
    /// are several of it.
    /// </param>
    /// <returns>The same client.</returns>
    public static HttpClient WithGridSession(this HttpClient client, string userId, params Claim[] claims)
    {
        ArgumentNullException.ThrowIfNull(claims);
        return client.WithGridSession(userId, session => Array.ForEach(claims, session.Claims.Add));
    }

    /// <inheritdoc cref="WithGridSession(HttpClient, string, Claim[])"/>
    /// <param name="client">The test's.</param>
    /// <param name="userId">The user.</param>
    /// <param name="configure">Says what the session carries.</param>
    public static HttpClient WithGridSession(this HttpClient client, string userId, Action<GridTestSession> configure)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(userId);
        ArgumentNullException.ThrowIfNull(configure);
        var session = new GridTestSession(userId);
        configure(session);
        client.DefaultRequestHeaders.Remove(SignedInClients.Header);
        client.DefaultRequestHeaders.Add(SignedInClients.Header, SignedInClients.Add(session));
        return client;
    }
}
