using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>…/multitenancy/config/thirdparty</c>: provider entries that SDKs keep with a tenant. Grid stores them, no more.</summary>
internal static class ThirdPartyConfig
{
    public static async Task PutAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var config = body.Object("config");
        using var parsed = JsonDocument.Parse(config);
        if (!parsed.RootElement.TryGetProperty("thirdPartyId", out var id) || id.ValueKind != JsonValueKind.String || id.GetString() is not { Length: > 0 } thirdPartyId)
        {
            throw CoreException.BadField("thirdPartyId");
        }

        var put = await TenantWire.Tenant(context, request).PutThirdPartyProviderAsync(thirdPartyId, config, CancellationToken.None);
        await TenantWire.WritePutAsync(context, request, put);
    }

    public static async Task RemoveAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var thirdPartyId = body.String("thirdPartyId");

        // An entry without an id is refused above, so there is none.
        var outcome = thirdPartyId.Length == 0
            ? RemoveOutcome.NotFound
            : await TenantWire.Tenant(context, request).RemoveThirdPartyProviderAsync(thirdPartyId, CancellationToken.None);
        if (outcome == RemoveOutcome.Unavailable)
        {
            throw new StoreUnavailableException("The tenant could not be changed.");
        }

        await CoreResponse.WriteAsync(context, "OK", outcome == RemoveOutcome.Removed, static (json, did) => json.WriteBoolean("didConfigExist"u8, did));
    }
}
