using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>GET /recipe/session/user</c>. Source: <c>docs/protocol/core.md</c>, "Read, update, list, remove".</summary>
internal static class ListSessions
{
    public static async Task HandleAsync(HttpContext context, StoredSessions stored)
    {
        var request = CoreRequest.Of(context);
        var userId = SessionWire.UserId(context);
        var allTenants = CoreQuery.OptionalSwitch(context, "fetchAcrossAllTenants") ?? true;
        _ = CoreQuery.OptionalSwitch(context, "fetchSessionsForAllLinkedAccounts");
        var listed = await stored.ListAsync(SessionWire.User(request, userId), AcrossTenants(request, allTenants));
        await CoreResponse.WriteAsync(context, "OK", listed, static (json, handles) => SessionWire.WriteHandles(json, "sessionHandles", handles));
    }

    /// <summary>From 5.0 on only the public tenant may address all tenants; a scope is never narrowed silently.</summary>
    public static bool AcrossTenants(CoreRequest request, bool asked) => asked && !request.IsPublicTenant && request.Version >= CdiVersion.V5
        ? throw CoreException.Forbidden(SessionWire.OnlyPublicTenant)
        : asked;
}
