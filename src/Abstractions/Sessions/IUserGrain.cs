using System.Collections.Immutable;
using Grid.Revocation.Log;

namespace Grid.Abstractions.Sessions;

/// <summary>A user's sessions in one tenant. Key: <see cref="UserKey"/> text.</summary>
[Alias("grid.user")]
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Handles of the active sessions, oldest first.</summary>
    /// <param name="allTenants">Also those of the app's other tenants.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    [Alias("list")]
    Task<UserSessionsResult> ListAsync(bool allTenants, CancellationToken cancellationToken);

    /// <summary>Revokes all sessions, in one transaction. The caller has the entries confirmed before it answers (docs/revocation.md).</summary>
    /// <param name="allTenants">Also those of the app's other tenants.</param>
    /// <param name="except">A session to keep.</param>
    /// <param name="reason">Kept in the revocation log.</param>
    /// <param name="cancellationToken">Ends the wait, not the work.</param>
    [Alias("revoke-all")]
    Task<UserSessionsResult> RevokeAllAsync(bool allTenants, SessionHandle? except, RevocationReason reason, CancellationToken cancellationToken);
}

/// <summary>Sessions listed or revoked.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Sessions">Their handles.</param>
/// <param name="Entries">Written to the revocation log; none after a list.</param>
[GenerateSerializer, Immutable, Alias("grid.user-sessions-result")]
public sealed record UserSessionsResult(
    [property: Id(0)] SessionOutcome Outcome,
    [property: Id(1)] ImmutableArray<SessionHandle> Sessions,
    [property: Id(2)] ImmutableArray<RevocationEntry> Entries);
