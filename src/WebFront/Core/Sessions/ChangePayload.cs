using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /session/payload</c>, ours beside the protocol: changes a session's payload by its handle (<c>docs/protocol.md</c>).</summary>
internal static class ChangePayload
{
    public static async Task HandleAsync(HttpContext context, StoredSessions sessions)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var text = body.String("sessionHandle");
        var replaces = body.Has("replace");
        if (replaces == body.Has("merge"))
        {
            throw new CoreException(400, "Invalid JSON input - use exactly one of merge, replace");
        }

        var changes = body.Object(replaces ? "replace" : "merge");
        if (await SessionWire.ReadHandleAsync(context, text) is not { } handle || await sessions.ChangePayloadAsync(request.App, handle, changes, replaces) is not { } session)
        {
            await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", GetSession.NotFound);
            return;
        }

        await CoreResponse.WriteAsync(context, "OK", session.PayloadJson, static (json, payload) =>
        {
            json.WritePropertyName("userDataInJWT"u8);
            json.WriteRawValue(payload, skipInputValidation: true);
        });
    }
}
