using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>GET /recipe/session</c> (§9).</summary>
internal static class GetSession
{
    public const string NotFound = "Session does not exist.";

    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        var text = CoreQuery.Required(context, "sessionHandle");
        var row = SessionWire.TryReadHandle(request, text, out var handle)
            ? await SessionWire.Service(context).FindAsync(request.App, handle)
            : null;
        if (row is null)
        {
            await CoreResponse.WriteStatusAsync(context, "UNAUTHORISED", NotFound);
            return;
        }

        await CoreResponse.WriteAsync(context, "OK", (row, request.Version), static (json, state) =>
        {
            var (row, version) = state;
            json.WriteString("sessionHandle"u8, row.Key.Handle.ToString());
            json.WriteString("userId"u8, row.UserId);
            if (version >= CdiVersion.V4)
            {
                json.WriteString("recipeUserId"u8, row.UserId);
            }

            if (version >= CdiVersion.V3)
            {
                json.WriteString("tenantId"u8, row.Key.Handle.TenantId);
            }

            json.WritePropertyName("userDataInDatabase"u8);
            json.WriteRawValue(row.DataJson, skipInputValidation: true);
            json.WritePropertyName("userDataInJWT"u8);
            json.WriteRawValue(row.PayloadJson, skipInputValidation: true);
            json.WriteNumber("expiry"u8, row.ExpiresAt.ToUnixTimeMilliseconds());
            json.WriteNumber("timeCreated"u8, row.CreatedAt.ToUnixTimeMilliseconds());
        });
    }
}
