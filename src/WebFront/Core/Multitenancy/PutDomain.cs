using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>PUT /recipe/multitenancy/connectionuridomain</c> and <c>…/v2</c>.</summary>
internal static class PutDomain
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants, TenantWireVersion version)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var domain = await ReadDomainAsync(body, tenants);
        RequireBase(request, "create/update connectionUriDomain");
        var change = TenantWire.ReadChange(body, request, version, isTenant: false);
        PutApp.RefuseBaseConfig(new AppKey(domain, AppKey.PublicId), change);
        var put = await tenants.Tenancy.PutDomainAsync(domain, change, CancellationToken.None);
        await TenantWire.WritePutAsync(context, request, put);
    }

    /// <summary>A host name as people may write it, with a port or not, or a stored domain to the letter; empty for the default domain.</summary>
    public static async Task<string> ReadDomainAsync(CoreBody body, TenantDoor tenants)
    {
        var written = body.String("connectionUriDomain");
        if (string.IsNullOrWhiteSpace(written))
        {
            return "";
        }

        var stored = await tenants.Catalog.ListAsync(CancellationToken.None);
        return ConnectionUriDomain.Find(stored.Select(entry => entry.Domain), written) ?? ConnectionUriDomain.TryNormalize(written) ?? throw new CoreException(
            400,
            "connectionUriDomain is invalid: it must be a host name or address, with a port or without, "
            + $"of at most {ConnectionUriDomain.MaxLength} characters");
    }

    public static void RequireBase(CoreRequest request, string what)
    {
        TenantWire.RequirePublicAppAndTenant(request, what);
        if (request.Domain.Length > 0)
        {
            throw CoreException.Forbidden($"Only the default connectionUriDomain is allowed to {what}");
        }
    }
}
