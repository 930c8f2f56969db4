using System.Collections.Immutable;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Upstream;

/// <summary>Sessions of one account, of a user who may have several: as the other core counts "sessions of a user" where those of linked accounts are not meant.</summary>
/// <remarks>Methods throw <see cref="Abstractions.StoreUnavailableException"/> when it is not done, or unknown. Repeating is safe.</remarks>
internal sealed class AccountSessions(IRecipeUserSessions sessions, StoredSessions stored, Revocations revocations, TrustedClock clock)
{
    /// <summary>The account's active sessions, oldest first, in the key's tenant or in all.</summary>
    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(UserKey account, bool allTenants) => sessions.ListOfRecipeUserAsync(
        account.Tenant.App, allTenants ? null : account.Tenant.TenantId, account.UserId, clock.GetUtcNow(), CancellationToken.None);

    /// <summary>Revokes the account's sessions; those by the user's other accounts go on.</summary>
    public async Task<ImmutableArray<SessionHandle>> RevokeAsync(UserKey account, bool allTenants, string actor)
    {
        var (own, user) = await ListBothAsync(account, allTenants);

        // Nobody else's under this id: the whole user, as where no accounts are linked, which also voids tickets and catches what is being written.
        var ended = user.All(own.Contains)
            ? (await revocations.RevokeUserAsync(account, allTenants, except: null, actor)).Sessions
            : await RevokeAsync(account, [.. user.Where(own.Contains)], actor);
        return ended.AddRange(await RevokeAsync(account, [.. own.Where(handle => !user.Contains(handle))], actor));
    }

    /// <summary>Revokes all sessions of the user of this id, and the account's under another one.</summary>
    public async Task<ImmutableArray<SessionHandle>> RevokeAllAsync(UserKey user, bool allTenants, string actor)
    {
        var (ended, _) = await revocations.RevokeUserAsync(user, allTenants, except: null, actor);
        return ended.AddRange(await RevokeElsewhereAsync(user, allTenants, actor));
    }

    /// <summary>Revokes the account's sessions that are under another user's id.</summary>
    public async Task<ImmutableArray<SessionHandle>> RevokeElsewhereAsync(UserKey account, bool allTenants, string actor)
    {
        var (own, user) = await ListBothAsync(account, allTenants);
        return await RevokeAsync(account, [.. own.Where(handle => !user.Contains(handle))], actor);
    }

    private async Task<(HashSet<SessionHandle> Own, HashSet<SessionHandle> User)> ListBothAsync(UserKey account, bool allTenants) =>
        ([.. await ListAsync(account, allTenants)], [.. await stored.ListAsync(account, allTenants)]);

    private async Task<ImmutableArray<SessionHandle>> RevokeAsync(UserKey account, ImmutableArray<SessionHandle> handles, string actor) => handles.IsEmpty
        ? []
        : (await revocations.RevokeAsync(new RevocationScope.Named { App = account.Tenant.App, Sessions = handles }, RevocationReason.Requested, actor)).Sessions;
}
