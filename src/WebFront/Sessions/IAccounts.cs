using Grid.Abstractions;
using Grid.Abstractions.Apps;

namespace Grid.WebFront.Sessions;

/// <summary>Whose accounts are, where another service keeps the users. Without one, an account is its own user.</summary>
internal interface IAccounts
{
    /// <summary>Whose the account is at this moment.</summary>
    /// <exception cref="StoreUnavailableException">That service does not say.</exception>
    Task<AccountOwner> FindOwnerAsync(AppKey app, string recipeUserId);
}

/// <summary>Whose an account is.</summary>
/// <param name="UserId">The primary user, if it is linked to one; else the account's own id.</param>
/// <param name="IsKnown">Whether there is such an account at all. Applications may have users of their own.</param>
internal readonly record struct AccountOwner(string UserId, bool IsKnown);
