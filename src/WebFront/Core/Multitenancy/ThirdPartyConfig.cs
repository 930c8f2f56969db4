using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>…/multitenancy/config/thirdparty</c>: provider entries that SDKs keep with a tenant. Grid stores them, no more.</summary>
internal static class ThirdPartyConfig
{
    // Members of a provider in which a null says something: it takes a default parameter away.
    private static readonly string[] Parameters =
        ["authorizationEndpointQueryParams", "tokenEndpointBodyParams", "userInfoEndpointQueryParams", "userInfoEndpointHeaders"];

    public static async Task PutAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var config = JsonNode.Parse(body.Object("config"))!.AsObject();
        if (config["thirdPartyId"] is not JsonValue id || !id.TryGetValue(out string? thirdPartyId) || thirdPartyId.Length == 0)
        {
            throw CoreException.BadField("thirdPartyId");
        }

        RemoveNulls(config);
        var put = await tenants.Tenant(request).PutThirdPartyProviderAsync(
            thirdPartyId, config.ToJsonString(JsonSerializerOptions.Default), CancellationToken.None);
        await TenantWire.WritePutAsync(context, request, put);
    }

    public static async Task RemoveAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var thirdPartyId = body.String("thirdPartyId");

        // An entry without an id is refused above, so there is none.
        var outcome = thirdPartyId.Length == 0
            ? RemoveOutcome.NotFound
            : await tenants.Tenant(request).RemoveThirdPartyProviderAsync(thirdPartyId, CancellationToken.None);
        if (outcome == RemoveOutcome.Unavailable)
        {
            throw new StoreUnavailableException("The tenant could not be changed.");
        }

        await CoreResponse.WriteAsync(context, "OK", outcome == RemoveOutcome.Removed, static (json, did) => json.WriteBoolean("didConfigExist"u8, did));
    }

    // A member that is null is one that is not there: tenants are answered without it.
    private static void RemoveNulls(JsonNode node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array.OfType<JsonNode>())
            {
                RemoveNulls(item);
            }
        }
        else if (node is JsonObject members)
        {
            foreach (var (name, value) in members.ToList())
            {
                if (value is null)
                {
                    members.Remove(name);
                }
                else if (!Parameters.Contains(name))
                {
                    RemoveNulls(value);
                }
            }
        }
    }
}
