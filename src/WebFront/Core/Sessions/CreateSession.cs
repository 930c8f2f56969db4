using Grid.Client;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session</c>. Source: <c>docs/protocol/core.md</c>, "Create".</summary>
internal static class CreateSession
{
    public static async Task HandleAsync(HttpContext context, SessionIssuer issuer)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var userId = SessionWire.UserId(body);
        var draft = new SessionDraft
        {
            TenantId = request.TenantId,
            UserId = userId,
            WithAntiCsrf = body.Bool("enableAntiCsrf"),
            PayloadJson = body.Object("userDataInJWT"),
            DataJson = body.Object("userDataInDatabase"),
            UseDynamicSigningKey = body.BoolOrNull("useDynamicSigningKey") ?? true,
        };
        var created = await issuer.CreateAsync(request.App, draft, SessionWire.AccessTokenValidity(body, request), request.Version.Rules, AdmissionDoor.Of(context));
        await CoreResponse.WriteAsync(context, "OK", (created, request.Version), static (json, state) =>
        {
            var (session, version) = state;
            SessionWire.WriteSession(json, version, session.Handle, session.UserId, session.RecipeUserId, session.TenantId, session.PayloadJson);
            SessionWire.WriteTokens(json, session.Tokens);
        });
    }
}
