using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Endpoints;

/// <summary><c>/verify</c>: tells a reverse proxy whether to let a request through.</summary>
/// <remarks>
/// 200 with <c>X-Grid-User</c>, <c>X-Grid-Session</c>, <c>X-Grid-Tenant</c> and <c>X-Grid-Claim-…</c>; 401 or 403 with the body
/// for the browser, which is also in <c>X-Grid-Error</c> for proxies that drop bodies. <c>?require=key:value</c> asks for a claim.
/// <c>/verify-optional</c> lets strangers through, without those headers. A path of its own and no parameter: Envoy appends the client's
/// target to ours, query included.
/// Configuration for nginx, Traefik and Envoy: <c>deploy/proxies</c>.
/// </remarks>
internal static class ForwardAuth
{
    private const string ClaimHeader = "X-Grid-Claim-";

    // Each costs a search of the whole payload, and anyone with a session may send them.
    private const int MaxRequired = 32;

    public static Task HandleAsync(HttpContext context, SessionRequests requests) => AnswerAsync(context, requests, isOptional: false);

    public static Task HandleOptionalAsync(HttpContext context, SessionRequests requests) => AnswerAsync(context, requests, isOptional: true);

    private static async Task AnswerAsync(HttpContext context, SessionRequests requests, bool isOptional)
    {
        if (ForwardAuthTargets.IsAmbiguous(context.Request) || HasForgedClaims(context.Request, requests.Options))
        {
            await ForwardAuthTargets.RefuseAsync(context);
            return;
        }

        var required = context.Request.Query["require"];
        if (required.Count > MaxRequired)
        {
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, $"at most {MaxRequired} claims can be required");
            return;
        }

        if (isOptional && required.Count > 0)
        {
            // Strangers have no claims, and would come through.
            await FrontAnswers.MessageAsync(context, StatusCodes.Status400BadRequest, "'require' needs a session: ask /verify");
            return;
        }

        var endpoint = new GridEndpoint { Required = [.. required.OfType<string>().Select(text => new RequiredClaim(text))] };
        var check = await requests.CheckAsync(context, endpoint, OriginalMethod(context.Request));
        if (isOptional && check.Outcome == RequestOutcome.None)
        {
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentLength = 0;
            return;
        }

        if (check.Outcome != RequestOutcome.Session)
        {
            context.Response.Headers["X-Grid-Error"] = FrontAnswers.Body(check).ToJsonString();
            await FrontAnswers.WriteAsync(context, requests, check);
            return;
        }

        var session = check.Session!;
        var headers = context.Response.Headers;
        headers["X-Grid-User"] = HeaderText(session.UserId);
        headers["X-Grid-Session"] = HeaderText(session.Handle);
        headers["X-Grid-Tenant"] = HeaderText(session.TenantId);
        foreach (var key in requests.Options.ForwardClaims)
        {
            if (session.Payload.TryGetProperty(key, out var claim))
            {
                var value = RequiredClaim.Value(claim);
                headers[ClaimHeader + key] = HeaderText(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
            }
        }

        headers.CacheControl = "no-store";
        context.Response.ContentLength = 0;
    }

    // A proxy overwrites or removes the claim headers that it knows; one that it does not know would reach the application as the client
    // sent it.
    private static bool HasForgedClaims(HttpRequest request, GridOptions options)
    {
        foreach (var (name, _) in request.Headers)
        {
            // CGI and its successors treat an underscore like a hyphen; the proxies' rules do not.
            if (name.Contains('_', StringComparison.Ordinal)
                ? name.Replace('_', '-').StartsWith("X-Grid-", StringComparison.OrdinalIgnoreCase)
                : name.StartsWith(ClaimHeader, StringComparison.OrdinalIgnoreCase) && !options.ForwardClaims.Contains(name[ClaimHeader.Length..], StringComparer.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    // Set by the proxy, which overwrites what the client sent: nginx by our configuration, Traefik by itself. Envoy uses the method itself.
    private static string OriginalMethod(HttpRequest request) =>
        request.Headers["X-Forwarded-Method"] is [{ Length: > 0 } forwarded] ? forwarded
        : request.Headers["X-Original-Method"] is [{ Length: > 0 } original] ? original
        : request.Method;

    // Percent-encoded if a header could not carry it, or if it could be mistaken for percent-encoded text.
    private static string HeaderText(string value)
    {
        if (value.All(c => c is > ' ' and < '\x7f' and not '%'))
        {
            return value;
        }

        var text = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            _ = octet is > (byte)' ' and < 0x7f and not (byte)'%' ? text.Append((char)octet) : text.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>
    /// <c>key:value</c>: the claim must have that value, or be a list that includes it. Plain members of the payload count as claims.
    /// </summary>
    private sealed class RequiredClaim(string text) : ClaimValidator(text.Split(':')[0])
    {
        private readonly string _wanted = text.Contains(':', StringComparison.Ordinal) ? text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..] : "true";

        public static JsonElement Value(JsonElement claim) => claim.ValueKind == JsonValueKind.Object && claim.TryGetProperty("v"u8, out var value) ? value : claim;

        public override ClaimProblem? Validate(JsonElement payload, DateTimeOffset now)
        {
            if (!payload.TryGetProperty(Id, out var claim))
            {
                return new ClaimProblem(Id, new JsonObject { ["message"] = "value does not exist", ["expectedValue"] = _wanted });
            }

            var value = Value(claim);
            var holds = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(Equals) : Equals(value);
            return holds ? null : new ClaimProblem(Id, new JsonObject { ["message"] = "wrong value", ["expectedValue"] = _wanted, ["actualValue"] = JsonNode.Parse(value.GetRawText()) });
        }

        private bool Equals(JsonElement value) => (value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()) == _wanted;
    }
}
