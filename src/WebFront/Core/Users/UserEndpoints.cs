using Grid.WebFront.Admission;
using Grid.WebFront.Core.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Core.Users;

/// <summary>User look-ups that session clients make. Grid keeps no users, and says so.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Beyond sessions".</remarks>
internal static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder core)
    {
        core.MapAppApi("GET", "/user/id", context => UnknownAsync(context, "UNKNOWN_USER_ID_ERROR"));
        core.MapAppApi("GET", "/recipe/userid/map", context => UnknownAsync(context, "UNKNOWN_MAPPING_ERROR"));
        core.MapAppApi<Revocations>(RequestClass.Revoke, "POST", "/user/remove", RemoveAsync);
        core.MapTenantApi("GET", "/users/count", NoneAsync);
        core.MapAppApi("GET", "/users/count/active", NoneAsync);
        core.MapTenantApi("GET", "/users", EmptyAsync);
        core.MapTenantApi("GET", "/users/by-accountinfo", EmptyAsync);
    }

    private static Task UnknownAsync(HttpContext context, string status)
    {
        CoreQuery.Required(context, "userId");
        return CoreResponse.WriteStatusAsync(context, status);
    }

    // The user is another service's, the sessions are ours: removing the one ends the others, in every tenant.
    private static async Task RemoveAsync(HttpContext context, Revocations revocations)
    {
        using var body = await CoreBody.ReadAsync(context);
        _ = body.BoolOrNull("removeAllLinkedAccounts");
        await revocations.RevokeUserAsync(SessionWire.User(CoreRequest.Of(context), SessionWire.UserId(body)), allTenants: true, except: null, CoreActor.Of(context));
        await CoreResponse.WriteStatusAsync(context, "OK");
    }

    private static Task NoneAsync(HttpContext context) =>
        CoreResponse.WriteAsync(context, "OK", 0, static (json, _) => json.WriteNumber("count"u8, 0));

    private static Task EmptyAsync(HttpContext context) => CoreResponse.WriteAsync(context, "OK", 0, static (json, _) =>
    {
        json.WriteStartArray("users"u8);
        json.WriteEndArray();
    });
}
