using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Endpoints;

/// <summary>The public signing keys (RFC 7517), and the document that tells where they are (OpenID Connect Discovery 1.0).</summary>
internal static class Discovery
{
    public static async Task KeysAsync(HttpContext context, SessionRequests requests)
    {
        var keys = await requests.Sessions.ReadKeysAsync(context.RequestAborted);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = keys.Json.Length;
        context.Response.Headers.CacheControl = $"max-age={(long)keys.MaxAge.TotalSeconds}, must-revalidate";
        context.Response.Headers.AccessControlAllowOrigin = "*";
        await context.Response.BodyWriter.WriteAsync(keys.Json);
    }

    public static Task ConfigurationAsync(HttpContext context, SessionRequests requests)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        return FrontAnswers.JsonAsync(context, StatusCodes.Status200OK, new JsonObject { ["issuer"] = requests.Issuer(context), ["jwks_uri"] = requests.Issuer(context) + "/jwt/jwks.json" });
    }
}
