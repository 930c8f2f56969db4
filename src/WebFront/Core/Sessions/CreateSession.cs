using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /recipe/session</c>. Source: <c>docs/protocol/core.md</c>, "Create".</summary>
internal static class CreateSession
{
    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var userId = SessionWire.UserId(body);
        var withAntiCsrf = body.Bool("enableAntiCsrf");
        var payload = body.Object("userDataInJWT");
        var data = body.Object("userDataInDatabase");
        var useDynamicKey = body.BoolOrNull("useDynamicSigningKey") ?? true;
        SessionWire.RefuseProtected(payload, request.Version.Rules.TokenVersion);
        var created = await SessionWire.Service(context).CreateAsync(
            request.App, request.TenantId, userId, payload, data, useDynamicKey, withAntiCsrf,
            SessionWire.AccessTokenValidity(body, request), request.Version.Rules);
        await CoreResponse.WriteAsync(context, "OK", (created, request.Version), static (json, state) =>
        {
            var session = state.created.Session;
            SessionWire.WriteSession(json, state.Version, session.Handle.ToString(), session.UserId, session.Handle.TenantId, session.PayloadJson);
            SessionWire.WriteTokens(json, state.created.Tokens);
        });
    }
}
