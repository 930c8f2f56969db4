using Grid.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary><c>AddIdentity(…).AddGridTicketStore()</c>.</summary>
public static class GridIdentityBuilderExtensions
{
    /// <summary>
    /// Keeps the tickets of Identity's application cookie in Grid's sessions, and ends a user's other sessions at once, everywhere, when
    /// the security stamp changes, as with a new password. Call it last: after <c>AddUserManager()</c>, and after the cookies are there.
    /// </summary>
    /// <exception cref="InvalidOperationException">Identity's cookie is not there yet, or the application has a user manager of its own that
    /// is no <see cref="GridUserManager{TUser}"/>.</exception>
    public static IdentityBuilder AddGridTicketStore(this IdentityBuilder builder) => builder.AddGridTicketStore(_ => { });

    /// <inheritdoc cref="AddGridTicketStore(IdentityBuilder)"/>
    public static IdentityBuilder AddGridTicketStore(this IdentityBuilder builder, Action<GridTicketStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var (wanted, manager) = (typeof(UserManager<>).MakeGenericType(builder.UserType), typeof(GridUserManager<>).MakeGenericType(builder.UserType));
        var own = builder.Services.LastOrDefault(service => service.ServiceType == wanted)?.ImplementationType;
        if (own is not null && own != wanted && !own.IsAssignableTo(manager))
        {
            throw new InvalidOperationException(
                $"{own} is the user manager: derive it from GridUserManager<{builder.UserType.Name}>, so that a user's sessions end when the security stamp changes. Without that: AddAuthentication().AddGridTicketStore(\"{IdentityConstants.ApplicationScheme}\").");
        }

        new AuthenticationBuilder(builder.Services).AddGridTicketStore(IdentityConstants.ApplicationScheme, configure);

        // Tells which session the change is made by, which stays.
        builder.Services.AddHttpContextAccessor();
        if (own is null || own == wanted)
        {
            builder.Services.AddScoped(wanted, manager);
        }

        return builder;
    }
}
