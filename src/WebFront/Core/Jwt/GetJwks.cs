using System.Text.Json;
using Grid.Abstractions.SigningKeys;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Jwt;

/// <summary><c>GET /.well-known/jwks.json</c> and the older <c>GET /recipe/jwt/jwks</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Tokens".</remarks>
internal static class GetJwks
{
    public static async Task HandleAsync(HttpContext context)
    {
        var jwks = await ReadAsync(context);
        await CoreResponse.WriteJsonAsync(context, jwks.Span);
    }

    public static async Task HandleWithStatusAsync(HttpContext context)
    {
        using var jwks = JsonDocument.Parse(await ReadAsync(context));
        await CoreResponse.WriteAsync(context, "OK", jwks, static (json, document) =>
        {
            json.WritePropertyName("keys"u8);
            document.RootElement.GetProperty("keys"u8).WriteTo(json);
        });
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext context)
    {
        var now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        var ring = await context.RequestServices.GetRequiredService<IKeyRings>().GetAsync(CoreRequest.Of(context).App, CancellationToken.None);

        // Until the next key is made nothing new can be signed with.
        var seconds = Math.Max(0, (long)(ring.NextChangeAt - now).TotalSeconds);
        context.Response.Headers.CacheControl = $"max-age={seconds}, must-revalidate";
        return ring.JwksJson(now);
    }
}
