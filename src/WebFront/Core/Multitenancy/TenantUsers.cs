using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>…/multitenancy/tenant/user</c>: there are no users to associate.</summary>
internal static class TenantUsers
{
    public static async Task AddAsync(HttpContext context)
    {
        using var body = await CoreBody.ReadAsync(context);
        body.String("recipeUserId");
        await CoreResponse.WriteStatusAsync(context, "UNKNOWN_USER_ID_ERROR");
    }

    public static async Task RemoveAsync(HttpContext context)
    {
        using var body = await CoreBody.ReadAsync(context);
        body.String("recipeUserId");
        await CoreResponse.WriteAsync(context, "OK", 0, static (json, _) => json.WriteBoolean("wasAssociated"u8, false));
    }
}
