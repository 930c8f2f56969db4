using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Grid.WebFront.Doors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Front;

/// <summary><c>POST /auth/session/ticket</c>: a browser fetches the session that a back end ordered for it. Ours, beside the protocol (<c>docs/protocol.md</c>).</summary>
internal static class RedeemTicket
{
    public static async Task HandleAsync(HttpContext context, SessionRequests requests)
    {
        // Without this any page could sign its visitors in as somebody of its choice.
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

        var sessions = context.RequestServices.GetRequiredService<InProcessSessions>();
        var session = await requests.HandOverAsync(context, handOver => sessions.RedeemAsync(
            ticket,
            draft =>
            {
                var payload = WithIssuer(draft.PayloadJson, requests.Issuer(context));

                // The ticket is not used up by a browser that could not take the session.
                requests.RefuseTooLong(context, handOver, draft.UserId, draft.TenantId, payload);
                return draft with { PayloadJson = payload, WithAntiCsrf = handOver.WithAntiCsrf };
            }));
        if (session is null)
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

    /// <summary>The payload as the front will hand it over.</summary>
    public static string WithIssuer(string payloadJson, string issuer)
    {
        var claims = JsonNode.Parse(payloadJson)!.AsObject();
        claims["iss"] = issuer;
        return claims.ToJsonString();
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
