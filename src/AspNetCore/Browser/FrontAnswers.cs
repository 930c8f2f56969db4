using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>The responses that the browser SDKs understand. A refusal does not tell why a token failed.</summary>
internal static class FrontAnswers
{
    public static Task WriteAsync(HttpContext context, SessionRequests requests, RequestCheck check)
    {
        Prepare(context, requests, check);
        return JsonAsync(context, context.Response.StatusCode, Body(check));
    }

    /// <summary>Sets what a refusal has beside its body: status, cleared tokens, no caching.</summary>
    public static void Prepare(HttpContext context, SessionRequests requests, RequestCheck check)
    {
        if (check.Outcome == RequestOutcome.Ended)
        {
            // Only then: a request that was sent before a sign-in completed, and so without a token, must not undo the sign-in.
            requests.Transport.ClearEverywhere(context);
        }

        var (response, options) = (context.Response, requests.Options);
        response.StatusCode = check.Outcome == RequestOutcome.InvalidClaims ? options.InvalidClaimStatusCode : options.SessionExpiredStatusCode;
        if (response.Headers.CacheControl.Count == 0)
        {
            response.Headers.CacheControl = "no-store";
        }
    }

    public static JsonObject Body(RequestCheck check) => check.Outcome switch
    {
        RequestOutcome.TryRefresh => new JsonObject { ["message"] = "try refresh token" },
        RequestOutcome.None or RequestOutcome.Ended => new JsonObject { ["message"] = "unauthorised" },
        RequestOutcome.InvalidClaims => new JsonObject
        {
            ["message"] = "invalid claim",
            ["claimValidationErrors"] = new JsonArray([.. check.Problems!.Select(problem => new JsonObject { ["id"] = problem.Id, ["reason"] = problem.Reason.DeepClone() })]),
        },
        _ => throw new ArgumentOutOfRangeException(nameof(check)),
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
