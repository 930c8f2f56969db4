using System.Text.Json;
using Grid.Abstractions.SigningKeys;
using Grid.WebFront.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Jwt;

/// <summary><c>GET /.well-known/jwks.json</c> and the older <c>GET /recipe/jwt/jwks</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Tokens".</remarks>
internal static class GetJwks
{
    public static async Task HandleAsync(HttpContext context, IKeyRings keyRings, TimeProvider clock)
    {
        var jwks = await ReadAsync(context, keyRings, clock);
        await CoreResponse.WriteJsonAsync(context, jwks.Span);
    }

    public static async Task HandleWithStatusAsync(HttpContext context, IKeyRings keyRings, TimeProvider clock)
    {
        using var jwks = JsonDocument.Parse(await ReadAsync(context, keyRings, clock));
        await CoreResponse.WriteAsync(context, "OK", jwks, static (json, document) =>
        {
            json.WritePropertyName("keys"u8);
            document.RootElement.GetProperty("keys"u8).WriteTo(json);
        });
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext context, IKeyRings keyRings, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var ring = await keyRings.GetAsync(CoreRequest.Of(context).App, CancellationToken.None);

        // No new key can be in use before the next one is created.
        var seconds = Math.Max(0, (long)(ring.NextChangeAt - now).TotalSeconds);
        var upstream = context.RequestServices.GetService<UpstreamKeys>();
        if (upstream is not null)
        {
            // When the core behind Grid makes its next one is not known.
            seconds = Math.Min(seconds, (long)UpstreamKeys.FreshFor.TotalSeconds);
        }

        context.Response.Headers.CacheControl = $"max-age={seconds}, must-revalidate";
        return upstream is null ? ring.JwksJson(now) : await upstream.MergeAsync(context, ring.JwksJson(now));
    }
}
