using Grid.Client;
using Grid.WebFront.Admission;
using Grid.WebFront.Front;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Sessions;

/// <summary><c>POST /session/ticket</c>: orders a session that a browser fetches from the front. Ours, beside the protocol (<c>docs/protocol.md</c>).</summary>
internal static class CreateTicket
{
    public static async Task HandleAsync(HttpContext context, SessionIssuer issuer)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var draft = new SessionDraft
        {
            TenantId = request.TenantId,
            UserId = SessionWire.UserId(body),
            PayloadJson = body.ObjectOrNull("userDataInJWT") ?? "{}",
            DataJson = body.ObjectOrNull("userDataInDatabase") ?? "{}",
            UseDynamicSigningKey = body.BoolOrNull("useDynamicSigningKey") ?? true,
        };

        // Registered only if this silo has a front.
        context.RequestServices.GetService<FrontTickets>()?.Check(context, request.App.App, draft);
        if (await issuer.OrderAsync(request.App, draft, AdmissionDoor.Of(context)) is not { } ordered)
        {
            throw new CoreException(400, "userDataInJWT and userDataInDatabase are too large for a ticket: together they may have about 8 KB");
        }

        await CoreResponse.WriteAsync(context, "OK", ordered, static (json, made) =>
        {
            json.WriteString("ticket"u8, made.Ticket);
            json.WriteNumber("expiry"u8, made.ExpiresAt.ToUnixTimeMilliseconds());
            json.WriteString("sessionHandle"u8, made.Handle.ToString());
        });
    }
}
