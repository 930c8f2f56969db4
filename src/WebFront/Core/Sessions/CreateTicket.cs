using Grid.WebFront.Front;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /session/ticket</c>: orders a session that a browser fetches from the front. Ours, beside the protocol (<c>docs/protocol.md</c>).</summary>
internal static class CreateTicket
{
    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var userId = SessionWire.UserId(body);
        var payload = body.ObjectOrNull("userDataInJWT") ?? "{}";
        SessionWire.RefuseProtected(payload, Tokens.Access.AccessTokenVersion.V5);
        context.RequestServices.GetService<FrontTickets>()?.Check(context, request.App.App, request.TenantId, userId, payload);
        var ordered = await SessionWire.Service(context).OrderAsync(
            request.App, request.TenantId, userId, payload, body.ObjectOrNull("userDataInDatabase") ?? "{}", body.BoolOrNull("useDynamicSigningKey") ?? true);
        if (ordered is not { } ticket)
        {
            throw new CoreException(400, "userDataInJWT and userDataInDatabase are too large for a ticket: together they may have about 8 KB");
        }

        await CoreResponse.WriteAsync(context, "OK", ticket, static (json, made) =>
        {
            json.WriteString("ticket"u8, made.Text);
            json.WriteNumber("expiry"u8, made.ExpiresAt.ToUnixTimeMilliseconds());
            json.WriteString("sessionHandle"u8, made.Handle.ToString());
        });
    }
}
