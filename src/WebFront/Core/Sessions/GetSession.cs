using System.Text.Json;
using Grid.Abstractions.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>GET /recipe/session</c>, and its deprecated parts <c>GET /recipe/session/data</c> and <c>GET /recipe/jwt/data</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Read, update, list, remove".</remarks>
internal static class GetSession
{
    public const string NotFound = "Session does not exist.";

    public static Task HandleAsync(HttpContext context, StoredSessions sessions) => AnswerAsync(context, sessions, WriteAll);

    public static Task HandleDataAsync(HttpContext context, StoredSessions sessions) =>
        AnswerAsync(context, sessions, static (json, row, _) => WriteRaw(json, "userDataInDatabase", row.DataJson));

    public static Task HandlePayloadAsync(HttpContext context, StoredSessions sessions) =>
        AnswerAsync(context, sessions, static (json, row, _) => WriteRaw(json, "userDataInJWT", row.PayloadJson));

    private static async Task AnswerAsync(HttpContext context, StoredSessions sessions, Action<Utf8JsonWriter, SessionRecord, CdiVersion> write)
    {
        var request = CoreRequest.Of(context);
        var text = CoreQuery.Required(context, "sessionHandle");
        var row = await SessionWire.ReadHandleAsync(context, text) is { } handle
            ? await sessions.FindAsync(request.App, handle)
            : null;
        if (row is null)
        {
            await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", NotFound);
            return;
        }

        await CoreResponse.WriteAsync(
            context, "OK", (row, request.Version, write), static (json, state) => state.write(json, state.row, state.Version));
    }

    private static void WriteAll(Utf8JsonWriter json, SessionRecord row, CdiVersion version)
    {
        json.WriteString("sessionHandle"u8, row.Key.Handle.ToString());
        json.WriteString("userId"u8, row.UserId);
        if (version >= CdiVersion.V4)
        {
            json.WriteString("recipeUserId"u8, row.RecipeUserId ?? row.UserId);
        }

        if (version >= CdiVersion.V3)
        {
            json.WriteString("tenantId"u8, row.Key.Handle.TenantId);
        }

        WriteRaw(json, "userDataInDatabase", row.DataJson);
        WriteRaw(json, "userDataInJWT", row.PayloadJson);
        json.WriteNumber("expiry"u8, row.ExpiresAt.ToUnixTimeMilliseconds());
        json.WriteNumber("timeCreated"u8, row.CreatedAt.ToUnixTimeMilliseconds());
    }

    private static void WriteRaw(Utf8JsonWriter json, string name, string text)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(text, skipInputValidation: true);
    }
}
