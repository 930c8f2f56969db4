using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.AspNetCore.Browser;
using Grid.Client;
using Grid.WebFront.Admission;
using Grid.WebFront.Doors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Front;

/// <summary>
/// <c>POST /auth/session/ticket</c>: a browser redeems the ticket that a back end ordered for it. Grid's own, beside the protocol
/// (<c>docs/protocol.md</c>).
/// </summary>
internal static class RedeemTicket
{
    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        // Otherwise any page could sign its visitors in as a user of its choice.
        if (!context.Request.Headers.ContainsKey("rid"))
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, "send the header 'rid: session' with a ticket");
            return;
        }

        if (await ReadTicketAsync(context) is not { } ticket)
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, "the body must be JSON like {\"ticket\":\"…\"}");
            return;
        }

        AdmissionDoor.Enter(context);
        if (await RedeemAsync(context, requests, ticket) is not { } session)
        {
            var wait = context.RequestServices.GetRequiredKeyedService<GuessBrake>(GridFront.TicketBrake).Failed(context.Connection.RemoteIpAddress);
            if (wait is { } time)
            {
                context.Response.Headers.RetryAfter = GuessBrake.Seconds(time);
            }

            await FrontAnswers.MessageAsync(
                context,
                wait is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status429TooManyRequests,
                "the ticket was used, is older than 60 seconds, or is not one of this app");
            return;
        }

        await FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["status"] = "OK", ["userId"] = session.UserId });
    }

    /// <summary>The draft with the claims that the front adds.</summary>
    public static SessionDraft WithIssuer(SessionDraft draft, string issuer)
    {
        var claims = JsonNode.Parse(draft.PayloadJson)!.AsObject();
        claims["iss"] = issuer;
        return draft with { PayloadJson = claims.ToJsonString() };
    }

    private static async Task<GridSession?> RedeemAsync(HttpContext context, SessionRequests requests, string ticket)
    {
        var sessions = context.RequestServices.GetRequiredService<InProcessSessions>();
        var (transfer, withAntiCsrf) = requests.ForNewSession(context);
        if (await sessions.OpenTicketAsync(ticket) is not { } opened)
        {
            return null;
        }

        // Completed by what only the front knows. A ticket is not used up if the browser could not store the session.
        var draft = WithIssuer(opened.Draft, requests.Issuer(context)) with { WithAntiCsrf = withAntiCsrf };
        requests.RefuseTooLong(context, transfer, draft);
        return await sessions.RedeemTicketAsync(opened with { Draft = draft }, AdmissionDoor.Of(context)) is { } created ? await requests.HandOverAsync(context, transfer, created) : null;
    }

    private static async Task<string?> ReadTicketAsync(HttpContext context)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false }, context.RequestAborted);
            return body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("ticket"u8, out var ticket) && ticket.ValueKind == JsonValueKind.String
                ? ticket.GetString()
                : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
