using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore;

/// <summary>
/// Identity's user manager, which ends a user's sessions when the security stamp changes (password, user name, e-mail address, two-factor
/// settings, <see cref="UserManager{TUser}.UpdateSecurityStampAsync"/>) or the user is deleted. <c>AddIdentity(…).AddGridTicketStore()</c> registers it.
/// </summary>
/// <remarks>
/// <para>
/// When such a method returns, the user's other sessions are refused everywhere. The request's own session stays, so that
/// <c>RefreshSignInAsync</c> can replace it, as after every change of the stamp. A change that fails ends nothing.
/// </para>
/// <para>
/// The methods throw <see cref="GridException"/> if the change is stored but Grid is unavailable or the revocation is not confirmed yet
/// (<see cref="GridFailure.StillWaiting"/>); the sessions then end when Identity next compares their stamps
/// (<see cref="SecurityStampValidatorOptions.ValidationInterval"/>), or by <see cref="UserManager{TUser}.UpdateSecurityStampAsync"/>. So do those whose stamp is changed behind
/// the manager's back.
/// </para>
/// </remarks>
/// <typeparam name="TUser">The application's users. A user manager of the application's own derives from this class.</typeparam>
public class GridUserManager<TUser> : UserManager<TUser>
    where TUser : class
{
    private readonly IServiceProvider _services;

    /// <summary>As the base class.</summary>
    public GridUserManager(
        IUserStore<TUser> store, IOptions<IdentityOptions> optionsAccessor, IPasswordHasher<TUser> passwordHasher, IEnumerable<IUserValidator<TUser>> userValidators,
        IEnumerable<IPasswordValidator<TUser>> passwordValidators, ILookupNormalizer keyNormalizer, IdentityErrorDescriber errors, IServiceProvider services, ILogger<UserManager<TUser>> logger)
        : base(store, optionsAccessor, passwordHasher, userValidators, passwordValidators, keyNormalizer, errors, services, logger) => _services = services;

    /// <inheritdoc/>
    public override Task<IdentityResult> UpdateSecurityStampAsync(TUser user) => EndingAsync(user, () => base.UpdateSecurityStampAsync(user));

    /// <inheritdoc/>
    public override Task<IdentityResult> SetUserNameAsync(TUser user, string? userName) => EndingAsync(user, () => base.SetUserNameAsync(user, userName));

    /// <inheritdoc/>
    public override Task<IdentityResult> AddPasswordAsync(TUser user, string password) => EndingAsync(user, () => base.AddPasswordAsync(user, password));

    /// <inheritdoc/>
    public override Task<IdentityResult> ChangePasswordAsync(TUser user, string currentPassword, string newPassword) =>
        EndingAsync(user, () => base.ChangePasswordAsync(user, currentPassword, newPassword));

    /// <inheritdoc/>
    public override Task<IdentityResult> RemovePasswordAsync(TUser user) => EndingAsync(user, () => base.RemovePasswordAsync(user));

    /// <inheritdoc/>
    public override Task<IdentityResult> ResetPasswordAsync(TUser user, string token, string newPassword) => EndingAsync(user, () => base.ResetPasswordAsync(user, token, newPassword));

    /// <inheritdoc/>
    /// <remarks>A password that is hashed anew, as after a change of the hasher's settings, is a new stamp.</remarks>
    public override Task<bool> CheckPasswordAsync(TUser user, string password) => EndingAsync(user, () => base.CheckPasswordAsync(user, password), isRight => isRight);

    /// <inheritdoc/>
    public override Task<IdentityResult> RemoveLoginAsync(TUser user, string loginProvider, string providerKey) =>
        EndingAsync(user, () => base.RemoveLoginAsync(user, loginProvider, providerKey));

    /// <inheritdoc/>
    public override Task<IdentityResult> SetEmailAsync(TUser user, string? email) => EndingAsync(user, () => base.SetEmailAsync(user, email));

    /// <inheritdoc/>
    public override Task<IdentityResult> ChangeEmailAsync(TUser user, string newEmail, string token) => EndingAsync(user, () => base.ChangeEmailAsync(user, newEmail, token));

    /// <inheritdoc/>
    public override Task<IdentityResult> SetPhoneNumberAsync(TUser user, string? phoneNumber) => EndingAsync(user, () => base.SetPhoneNumberAsync(user, phoneNumber));

    /// <inheritdoc/>
    public override Task<IdentityResult> ChangePhoneNumberAsync(TUser user, string phoneNumber, string token) =>
        EndingAsync(user, () => base.ChangePhoneNumberAsync(user, phoneNumber, token));

    /// <inheritdoc/>
    public override Task<IdentityResult> SetTwoFactorEnabledAsync(TUser user, bool enabled) => EndingAsync(user, () => base.SetTwoFactorEnabledAsync(user, enabled));

    /// <inheritdoc/>
    public override Task<IdentityResult> ResetAuthenticatorKeyAsync(TUser user) => EndingAsync(user, () => base.ResetAuthenticatorKeyAsync(user));

    /// <inheritdoc/>
    public override async Task<IdentityResult> DeleteAsync(TUser user)
    {
        ArgumentNullException.ThrowIfNull(user);
        var owner = await FindOwnerAsync(user);
        var result = await base.DeleteAsync(user);
        if (result.Succeeded)
        {
            await EndAsync(owner, except: null);
        }

        return result;
    }

    private GridTicketStoreOptions Tickets => _services.GetRequiredService<IOptionsMonitor<GridTicketStoreOptions>>().Get(IdentityConstants.ApplicationScheme);

    private bool IsNamedById => Tickets is { TenantIdClaimType: null, UserIdClaimType: var type } && type == Options.ClaimsIdentity.UserIdClaimType;

    private Task<IdentityResult> EndingAsync(TUser user, Func<Task<IdentityResult>> change) => EndingAsync(user, change, result => result.Succeeded);

    private async Task<T> EndingAsync<T>(TUser? user, Func<Task<T>> change, Func<T, bool> isStored)
    {
        if (user is null || Store is not IUserSecurityStampStore<TUser> stamps)
        {
            return await change();
        }

        // Sessions that are named by something that changes, such as the user name, have its former value.
        TicketOwner? owner = IsNamedById ? null : await FindOwnerAsync(user);
        var former = await stamps.GetSecurityStampAsync(user, CancellationToken);
        var result = await change();
        if (isStored(result) && await stamps.GetSecurityStampAsync(user, CancellationToken) != former)
        {
            await EndAsync(owner ?? await FindOwnerAsync(user), _services.GetService<IHttpContextAccessor>()?.HttpContext?.GetGridSessionHandle());
        }

        return result;
    }

    // The user and tenant as a sign-in would name them.
    private async Task<TicketOwner> FindOwnerAsync(TUser user)
    {
        var principal = await _services.GetRequiredService<IUserClaimsPrincipalFactory<TUser>>().CreateAsync(user);
        return TicketOwner.Of(principal, Tickets);
    }

    // What is stored is stored: it is not cancelled with the request.
    private Task EndAsync(TicketOwner owner, string? except) =>
        _services.GetRequiredService<IGridSessions>().RevokeUserAsync(owner.UserId, owner.TenantId, except, CancellationToken.None);
}
