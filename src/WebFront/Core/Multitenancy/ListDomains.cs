using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/multitenancy/connectionuridomain/list</c> and <c>…/v2</c>.</summary>
internal static class ListDomains
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        PutDomain.RequireBase(request, "list all connectionUriDomains");
        var listed = await tenants.Catalog.ListAsync(CancellationToken.None);
        var domains = await Task.WhenAll(listed.Select(async d => (d.Domain, Apps: await ListApps.ReadAsync(tenants, d))));
        var shape = TenantWire.ShapeOf(request, version);
        await CoreResponse.WriteAsync(context, "OK", (domains, shape), static (json, state) =>
        {
            json.WriteStartArray("connectionUriDomains"u8);
            foreach (var (domain, apps) in state.domains)
            {
                json.WriteStartObject();
                json.WriteString("connectionUriDomain"u8, domain);
                ListApps.Write(json, apps, state.shape);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }
}
