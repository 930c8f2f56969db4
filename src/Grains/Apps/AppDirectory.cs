using Grid.Abstractions.Apps;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="IAppDirectory"/>
/// <remarks>Anyone can send names, so only those that are listed are looked up: others cost neither a grain nor memory.</remarks>
internal sealed class AppDirectory(IGrainFactory grains, TimeProvider clock) : IAppDirectory
{
    private readonly FreshCopies<AppKey, IGrainFactory, AppSnapshot> _apps = new(
        clock, Rules<AppSnapshot>(), static (app, grains, _) => grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None));

    private readonly FreshCopies<int, IGrainFactory, Listing> _listings = new(
        clock, Rules<Listing>(), static async (key, grains, _) => new Listing(await grains.GetGrain<ICatalogGrain>(key).ListAsync(CancellationToken.None)));

    private readonly FreshCopies<TenantKey, IGrainFactory, TenantRules> _rules = new(
        clock, Rules<TenantRules>(),
        static async (tenant, grains, _) => TenantRules.Of((await grains.GetGrain<ITenantGrain>(tenant.ToString()).FindAsync(CancellationToken.None))?.CoreConfigJson));

    /// <summary>Number of apps with a copy.</summary>
    internal int Count => _apps.Count;

    public ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken) =>
        _apps.TryGetFresh(app, out var snapshot) ? new ValueTask<AppSnapshot?>(snapshot) : FindListedAsync(app);

    public ValueTask<AddressedApp> FindAsync(string host, string appId, CancellationToken cancellationToken) =>
        _listings.TryGetFresh(0, out var listing) && listing.DomainOf(host) is var domain && _apps.TryGetFresh(new AppKey(domain, appId), out var snapshot)
            ? new ValueTask<AddressedApp>(new AddressedApp(domain, snapshot))
            : FindAddressedAsync(host, appId);

    public async ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken) =>
        _rules.TryGetFresh(tenant, out var rules) ? rules : (await _rules.GetAsync(tenant, grains))!;

    /// <summary>Drops the copy of an app and its tenants, or (null) the list of domains and apps.</summary>
    public void Forget(AppKey? app)
    {
        if (app is { } changed)
        {
            _apps.Forget(changed);
            _rules.ForgetAll(tenant => tenant.App == changed);
        }
        else
        {
            _listings.Forget(0);
        }
    }

    // Changes are announced to every silo. The second is for a silo that missed one, the minute for a grain that does not answer.
    private static CopyRules<T> Rules<T>() => new(_ => TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), "The settings of the app could not be read.");

    private async ValueTask<AddressedApp> FindAddressedAsync(string host, string appId)
    {
        var domain = (await _listings.GetAsync(0, grains))!.DomainOf(host);
        return new AddressedApp(domain, await FindListedAsync(new AppKey(domain, appId)));
    }

    private async ValueTask<AppSnapshot?> FindListedAsync(AppKey app) =>
        app == AppKey.Public || (await _listings.GetAsync(0, grains))!.Apps.Contains(app) ? await _apps.GetAsync(app, grains) : null;

    private sealed class Listing(IReadOnlyList<DomainEntry> entries)
    {
        private readonly Dictionary<string, string> _domains = Spellings(entries);

        public HashSet<AppKey> Apps { get; } = entries.SelectMany(entry => entry.AppIds.Select(id => new AppKey(entry.Domain, id))).ToHashSet();

        // The default domain, empty, always exists. The whole text first: earlier builds stored domains with their ports.
        public string DomainOf(string host) =>
            _domains.Count > 1 && (_domains.TryGetValue(host, out var domain)
            || _domains.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(ConnectionUriDomain.HostOf(host), out domain)) ? domain : "";

        // Earlier builds stored IPv6 addresses as written: also find them by their normal form, unless that is a domain of its own.
        private static Dictionary<string, string> Spellings(IReadOnlyList<DomainEntry> entries)
        {
            var domains = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var entry in entries)
            {
                domains.TryAdd(entry.Domain, entry.Domain);
            }

            foreach (var entry in entries)
            {
                if (entry.Domain.StartsWith('[') && entry.Domain.EndsWith(']') && ConnectionUriDomain.TryNormalize(entry.Domain) is { } normal)
                {
                    domains.TryAdd(normal, entry.Domain);
                }
            }

            return domains;
        }
    }
}
