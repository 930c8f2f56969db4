using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/multitenancy/connectionuridomain/list</c> and <c>…/v2</c>.</summary>
internal static class ListDomains
{
    public static async Task HandleAsync(HttpContext context, TenantWireVersion version)
    {
        PutDomain.RequireBase(CoreRequest.Of(context), "list all connectionUriDomains");
        var listed = await TenantWire.Catalog(context).ListAsync(CancellationToken.None);
        var domains = await Task.WhenAll(listed.Select(async d => (d.Domain, Apps: await ListApps.ReadAsync(context, d))));
        await CoreResponse.WriteAsync(context, "OK", (domains, version), static (json, state) =>
        {
            json.WriteStartArray("connectionUriDomains"u8);
            foreach (var (domain, apps) in state.domains)
            {
                json.WriteStartObject();
                json.WriteString("connectionUriDomain"u8, domain);
                ListApps.Write(json, apps, state.version);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }
}
