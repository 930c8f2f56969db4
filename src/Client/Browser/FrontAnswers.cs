using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Client.Claims;
using Microsoft.AspNetCore.Http;

namespace Grid.Client.Browser;

/// <summary>The refusals that the browser SDKs understand. Nothing in them tells why a token failed.</summary>
internal static class FrontAnswers
{
    public static Task WriteAsync(HttpContext context, SessionRequests requests, RequestCheck check)
    {
        switch (check.Outcome)
        {
            case RequestOutcome.TryRefresh:
                return MessageAsync(context, requests.Options.SessionExpiredStatusCode, "try refresh token");
            case RequestOutcome.Ended:
                requests.Transport.ClearEverywhere(context);
                return MessageAsync(context, requests.Options.SessionExpiredStatusCode, "unauthorised");
            case RequestOutcome.InvalidClaims:
                return JsonAsync(context, requests.Options.InvalidClaimStatusCode, InvalidClaims(check.Problems!));
            default:
                // Not cleared: a request that left before the sign-in came back must not undo it.
                return MessageAsync(context, requests.Options.SessionExpiredStatusCode, "unauthorised");
        }
    }

    public static JsonObject InvalidClaims(IReadOnlyList<ClaimProblem> problems) => new()
    {
        ["message"] = "invalid claim",
        ["claimValidationErrors"] = new JsonArray([.. problems.Select(problem => new JsonObject { ["id"] = problem.Id, ["reason"] = problem.Reason.DeepClone() })]),
    };

    public static Task MessageAsync(HttpContext context, int status, string message) => JsonAsync(context, status, new JsonObject { ["message"] = message });

    public static Task OkAsync(HttpContext context) => JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["status"] = "OK" });

    public static async Task JsonAsync(HttpContext context, int status, JsonObject body)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        if (context.Response.Headers.CacheControl.Count == 0)
        {
            context.Response.Headers.CacheControl = "no-store";
        }

        await context.Response.BodyWriter.WriteAsync(bytes);
    }
}
