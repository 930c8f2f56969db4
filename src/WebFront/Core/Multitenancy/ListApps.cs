using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/multitenancy/app/list</c> and <c>…/v2</c>: the apps of the caller's domain.</summary>
internal static class ListApps
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        TenantWire.RequirePublicAppAndTenant(request, "list all apps");
        var domains = await tenants.Catalog.ListAsync(CancellationToken.None);
        var domain = domains.FirstOrDefault(d => d.Domain == request.Domain) ?? new DomainEntry(request.Domain, [AppKey.PublicId]);
        var apps = await ReadAsync(tenants, domain);
        var shape = TenantWire.ShapeOf(request, version);
        await CoreResponse.WriteAsync(context, "OK", (apps, shape), static (json, state) => Write(json, state.apps, state.shape));
    }

    /// <summary>Each app with its tenants.</summary>
    public static async Task<(string AppId, ImmutableArray<TenantConfig> Tenants)[]> ReadAsync(TenantDoor tenants, DomainEntry domain) =>
        await Task.WhenAll(domain.AppIds.Select(async appId =>
            (appId, await tenants.App(new AppKey(domain.Domain, appId)).ListTenantsAsync(CancellationToken.None))));

    public static void Write(System.Text.Json.Utf8JsonWriter json, (string AppId, ImmutableArray<TenantConfig> Tenants)[] apps, TenantWireVersion version)
    {
        json.WriteStartArray("apps"u8);
        foreach (var (appId, tenants) in apps)
        {
            json.WriteStartObject();
            json.WriteString("appId"u8, appId);
            TenantWire.WriteTenants(json, tenants, version);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
