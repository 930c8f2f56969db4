using Grid.WebFront.Core.Jwt;
using Microsoft.AspNetCore.Routing;

namespace Grid.WebFront.Core.Sessions;

internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder core)
    {
        core.MapTenantApi("POST", "/recipe/session", CreateSession.HandleAsync);
        core.MapTenantApi("GET", "/recipe/session", GetSession.HandleAsync);
        core.MapTenantApi("POST", "/recipe/session/remove", RemoveSessions.HandleAsync);
        core.MapCore("POST", "/recipe/session/verify", new CoreRoute(CoreScope.AppSince56), VerifySession.HandleAsync);
        core.MapTenantApi("POST", "/recipe/session/refresh", RefreshSession.HandleAsync);
        core.MapTenantApi("GET", "/recipe/session/user", ListSessions.HandleAsync);
        core.MapTenantApi("POST", "/recipe/session/regenerate", RegenerateSession.HandleAsync);
        core.MapTenantApi("GET", "/recipe/session/data", GetSession.HandleDataAsync);
        core.MapTenantApi("PUT", "/recipe/session/data", UpdateSession.HandleDataAsync);
        core.MapTenantApi("GET", "/recipe/jwt/data", GetSession.HandlePayloadAsync);
        core.MapTenantApi("PUT", "/recipe/jwt/data", UpdateSession.HandlePayloadAsync);
        core.MapCore("POST", "/session/ticket", new CoreRoute(CoreScope.Tenant, NeedsVersion: false), CreateTicket.HandleAsync);
        core.MapAppApi("POST", "/recipe/jwt", CreateJwt.HandleAsync);
        core.MapCore(
            "GET", "/.well-known/jwks.json", new CoreRoute(CoreScope.Tenant, NeedsKey: false, NeedsVersion: false), GetJwks.HandleAsync);
        core.MapAppApi("GET", "/recipe/jwt/jwks", GetJwks.HandleWithStatusAsync);
    }
}
