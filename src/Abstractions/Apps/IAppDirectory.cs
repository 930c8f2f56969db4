namespace Grid.Abstractions.Apps;

/// <summary>This silo's view of the apps and their settings. In memory; changes are seen within a second.</summary>
public interface IAppDirectory
{
    /// <summary>The app, or null if there is none. An unknown name costs no more than a look into the list of apps.</summary>
    ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>The connection URI domain of a request's host; empty if no such domain was created.</summary>
    /// <param name="host">As in the request; case and port are ignored.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<string> FindDomainAsync(string host, CancellationToken cancellationToken);

    /// <summary>A tenant's own address rules. Ask only for existing tenants: others would fill the memory.</summary>
    ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken);
}

/// <summary>A tenant's own address rules; null where the app's apply.</summary>
/// <param name="IpAllowRegex">Requests from other addresses are refused with 403.</param>
/// <param name="IpDenyRegex">Requests from these addresses are refused with 403.</param>
public sealed record TenantRules(string? IpAllowRegex, string? IpDenyRegex)
{
    /// <summary>Reads them from the tenant's own core config.</summary>
    public static TenantRules Of(string? coreConfigJson)
    {
        var own = CoreConfig.Effective(coreConfigJson, new AppDefaults());
        return new TenantRules(own.IpAllowRegex, own.IpDenyRegex);
    }
}
