using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>GET /recipe/session/user</c>. Source: <c>docs/protocol/core.md</c>, "Read, update, list, remove".</summary>
internal static class ListSessions
{
    public static async Task HandleAsync(HttpContext context, StoredSessions stored)
    {
        var request = CoreRequest.Of(context);
        var userId = SessionWire.UserId(context);
        var allTenants = CoreQuery.OptionalSwitch(context, "fetchAcrossAllTenants") ?? true;
        var linked = CoreQuery.OptionalSwitch(context, "fetchSessionsForAllLinkedAccounts") ?? true;
        var (user, across) = (SessionWire.User(request, userId), AcrossTenants(request, allTenants));
        var listed = !linked && context.RequestServices.GetService<AccountSessions>() is { } one
            ? await one.ListAsync(user, across)
            : await stored.ListAsync(user, across);
        if (linked && context.RequestServices.GetService<LinkedAccounts>() is { } accounts)
        {
            var door = AdmissionDoor.Of(context);
            IReadOnlyList<string> others;
            using (door.WaitOutside(RequestClass.Forward))
            {
                others = await accounts.OthersAsync(request.App.App, userId);
            }

            door.Enter();
            foreach (var other in others)
            {
                listed = listed.AddRange(await stored.ListAsync(SessionWire.User(request, other), across));
            }
        }

        await CoreResponse.WriteAsync(context, "OK", listed, static (json, handles) => SessionWire.WriteHandles(json, "sessionHandles", handles));
    }

    /// <summary>From 5.0 on only the public tenant may address all tenants; a scope is never narrowed silently.</summary>
    public static bool AcrossTenants(CoreRequest request, bool asked) => asked && !request.IsPublicTenant && request.Version >= CdiVersion.V5
        ? throw CoreException.Forbidden(SessionWire.OnlyPublicTenant)
        : asked;
}
