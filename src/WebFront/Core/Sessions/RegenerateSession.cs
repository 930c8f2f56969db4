using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session/regenerate</c>. Source: <c>docs/protocol/core.md</c>, "Regenerate".</summary>
internal static class RegenerateSession
{
    public static async Task HandleAsync(HttpContext context, SessionRefresher refresher)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var accessToken = body.String("accessToken");
        var payload = body.ObjectOrNull("userDataInJWT");
        if (payload is not null)
        {
            PayloadRules.CheckProtected(payload, request.Version.Rules.TokenVersion);
        }

        if (await refresher.RegenerateAsync(request.App, accessToken, payload) is not { } regenerated)
        {
            await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", GetSession.NotFound);
            return;
        }

        await CoreResponse.WriteAsync(context, "OK", (regenerated, request.Version), static (json, state) =>
        {
            var (session, version) = state;
            SessionWire.WriteSession(json, version, session.Handle, session.UserId, session.RecipeUserId, session.TenantId, session.PayloadJson);
            if (session.AccessToken is { } token)
            {
                SessionWire.WriteToken(json, "accessToken", token);
            }
        });
    }
}
