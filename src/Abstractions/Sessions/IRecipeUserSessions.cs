using System.Collections.Immutable;
using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Sessions;

/// <summary>Finds sessions by the account with which their users signed in, where several are one user.</summary>
public interface IRecipeUserSessions
{
    /// <summary>Handles of the sessions of one account that have not expired at <paramref name="now"/>, oldest first: those of its user by that account, whichever user it is linked to.</summary>
    /// <param name="app">The app.</param>
    /// <param name="tenantId">Null for all.</param>
    /// <param name="recipeUserId">The account.</param>
    /// <param name="now">When.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StoreUnavailableException">The store could not be read.</exception>
    ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(
        AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken);
}
