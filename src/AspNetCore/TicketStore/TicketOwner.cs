using System.Security.Claims;
using Grid.AspNetCore.Authentication;

namespace Grid.AspNetCore.TicketStore;

/// <summary>The user and tenant of the session that a ticket becomes.</summary>
internal readonly record struct TicketOwner(string UserId, string TenantId)
{
    private const int MaxUserIdLength = 128;

    /// <exception cref="InvalidOperationException">The principal has no such claim, or its value is too long.</exception>
    /// <exception cref="UnusableNameException">Its value has a character in it that cannot be stored.</exception>
    public static TicketOwner Of(ClaimsPrincipal principal, GridTicketStoreOptions options)
    {
        var userId = principal.FindFirst(options.UserIdClaimType)?.Value;
        return userId switch
        {
            null or "" => throw new InvalidOperationException(
                $"The principal to sign in has no claim '{options.UserIdClaimType}', which is the session's user id: add it, or name another claim by GridTicketStoreOptions.UserIdClaimType."),
            { Length: > MaxUserIdLength } => throw new InvalidOperationException(
                $"The claim '{options.UserIdClaimType}', which is the session's user id, has {userId.Length} characters and may have at most {MaxUserIdLength}: name another claim by GridTicketStoreOptions.UserIdClaimType."),
            _ => new TicketOwner(
                SignInName.Require(userId, $"The claim '{options.UserIdClaimType}', which is the session's user id,"),
                options.TenantIdClaimType is { } type && principal.FindFirst(type) is { Value.Length: > 0 } tenant ? tenant.Value : options.TenantId),
        };
    }
}
