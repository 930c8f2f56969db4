namespace Grid.Abstractions.Apps;

/// <summary>This silo's view of the apps and their settings. In memory; changes are seen within a second.</summary>
public interface IAppDirectory
{
    /// <summary>The app, or null if there is none. An unknown name costs no more than a look into the list of apps.</summary>
    ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>The app that a request addresses.</summary>
    /// <param name="host">The request's <c>Host</c> header: case and port are ignored.</param>
    /// <param name="appId">From the request's path.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<AddressedApp> FindAsync(string host, string appId, CancellationToken cancellationToken);

    /// <summary>A tenant's own address rules. Ask only for tenants that the app has, and after the API key: others would fill the memory, and how long it takes tells strangers which exist.</summary>
    ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken);
}

/// <summary>What a request's host and path stand for.</summary>
/// <param name="Domain">The connection-URI domain: the host's name if such a domain was created, else empty.</param>
/// <param name="App">The app of that domain; null if there is none.</param>
public readonly record struct AddressedApp(string Domain, AppSnapshot? App);

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
