namespace Grid.Abstractions.Apps;

/// <summary>This silo's view of which apps exist and how they are set. In memory; refreshed at most a second late.</summary>
public interface IAppDirectory
{
    /// <summary>The app, or null if there is none. A name that nobody made an app of costs no more than a look into the list of apps.</summary>
    ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>The connection-URI domain that a request's host stands for: its name if such a domain was made, else empty.</summary>
    /// <param name="host">As the request has it: case and port do not count.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<string> FindDomainAsync(string host, CancellationToken cancellationToken);

    /// <summary>A tenant's own rules of addresses. Only of a tenant that its app has: others would fill the memory.</summary>
    ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken);
}

/// <summary>What a tenant sets for itself over its app; null = it has the app's.</summary>
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
