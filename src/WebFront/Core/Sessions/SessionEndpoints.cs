using Grid.Abstractions.SigningKeys;
using Grid.WebFront.Admission;
using Grid.WebFront.Core.Jwt;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Sessions;

internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder core)
    {
        core.MapTenantApi<SessionIssuer>(RequestClass.Create, "POST", "/recipe/session", CreateSession.HandleAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.List, "GET", "/recipe/session", GetSession.HandleAsync);
        core.MapTenantApi<Revocations>(RequestClass.Revoke, "POST", "/recipe/session/remove", RemoveSessions.HandleAsync);
        core.MapCore<SessionVerifier>("POST", "/recipe/session/verify", new CoreRoute(CoreScope.AppSince56, Class: RequestClass.Verify), VerifySession.HandleAsync);
        core.MapTenantApi<SessionRefresher>(RequestClass.Refresh, "POST", "/recipe/session/refresh", RefreshSession.HandleAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.List, "GET", "/recipe/session/user", ListSessions.HandleAsync);
        core.MapTenantApi<SessionRefresher>(RequestClass.Refresh, "POST", "/recipe/session/regenerate", RegenerateSession.HandleAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.List, "GET", "/recipe/session/data", GetSession.HandleDataAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.Refresh, "PUT", "/recipe/session/data", UpdateSession.HandleDataAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.List, "GET", "/recipe/jwt/data", GetSession.HandlePayloadAsync);
        core.MapTenantApi<StoredSessions>(RequestClass.Refresh, "PUT", "/recipe/jwt/data", UpdateSession.HandlePayloadAsync);
        core.MapCore<StoredSessions>("POST", "/session/payload", new CoreRoute(CoreScope.Tenant, NeedsVersion: false, Class: RequestClass.Refresh), ChangePayload.HandleAsync);
        core.MapCore<SessionIssuer>("POST", "/session/ticket", new CoreRoute(CoreScope.Tenant, NeedsVersion: false, Class: RequestClass.Create), CreateTicket.HandleAsync);
        var clock = core.ServiceProvider.GetRequiredService<TimeProvider>();
        core.MapAppApi<IKeyRings>(RequestClass.Create, "POST", "/recipe/jwt", (context, keys) => CreateJwt.HandleAsync(context, keys, clock));
        core.MapCore<IKeyRings>(
            "GET", "/.well-known/jwks.json", new CoreRoute(CoreScope.Tenant, NeedsKey: false, NeedsVersion: false), (context, keys) => GetJwks.HandleAsync(context, keys, clock));
        core.MapAppApi<IKeyRings>(RequestClass.None, "GET", "/recipe/jwt/jwks", (context, keys) => GetJwks.HandleWithStatusAsync(context, keys, clock));
    }
}
