using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>PUT /recipe/session/data</c> and <c>PUT /recipe/jwt/data</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Read, update, list, remove".</remarks>
internal static class UpdateSession
{
    public static async Task HandleDataAsync(HttpContext context, StoredSessions sessions)
    {
        using var body = await CoreBody.ReadAsync(context);
        await UpdateAsync(context, sessions, body.String("sessionHandle"), payload: null, body.Object("userDataInDatabase"));
    }

    public static async Task HandlePayloadAsync(HttpContext context, StoredSessions sessions)
    {
        using var body = await CoreBody.ReadAsync(context);
        var handle = body.String("sessionHandle");
        var payload = body.Object("userDataInJWT");
        PayloadRules.CheckProtected(payload, CoreRequest.Of(context).Version.Rules.TokenVersion);
        await UpdateAsync(context, sessions, handle, payload, data: null);
    }

    private static async Task UpdateAsync(HttpContext context, StoredSessions sessions, string text, string? payload, string? data)
    {
        var request = CoreRequest.Of(context);
        if (await SessionWire.ReadHandleAsync(context, text) is { } handle
            && await sessions.UpdateAsync(request.App, handle, payload, data, request.Version.Rules) is not null)
        {
            await CoreResponse.WriteStatusAsync(context, "OK");
        }
        else
        {
            await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", GetSession.NotFound);
        }
    }
}
