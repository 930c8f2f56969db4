using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;

namespace Grid.Grains.Tests.Apps;

public sealed class AppLifeTests(GridCluster grid)
{
    private static readonly TenantChange NoChange = new();

    private ITenancy Tenancy => grid.Service<ITenancy>();

    [Fact]
    public async Task The_public_app_is_always_there()
    {
        var app = await grid.Service<IAppDirectory>().FindAsync(AppKey.Public, CancellationToken.None);

        Assert.Contains(TenantKey.PublicId, app!.TenantIds);
    }

    [Fact]
    public async Task A_new_app_is_seen_by_every_silo_at_once()
    {
        var key = new AppKey("", $"app-{Guid.NewGuid():N}");
        for (var silo = 0; silo < 3; silo++)
        {
            Assert.Null(await grid.Service<IAppDirectory>(silo).FindAsync(key, CancellationToken.None));
        }

        await grid.Grains.GetGrain<ICatalogGrain>(0).PutAppAsync(key, NoChange, CancellationToken.None);

        for (var silo = 0; silo < 3; silo++)
        {
            Assert.NotNull(await grid.Service<IAppDirectory>(silo).FindAsync(key, CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_changed_setting_is_seen_by_every_silo_at_once()
    {
        var key = await grid.CreateAppAsync();
        for (var silo = 0; silo < 3; silo++)
        {
            await grid.Service<IAppDirectory>(silo).FindAsync(key, CancellationToken.None);
        }

        await grid.Grains.GetGrain<ICatalogGrain>(0).PutAppAsync(
            key, new TenantChange { CoreConfigPatchJson = """{"access_token_validity":7}""" }, CancellationToken.None);

        for (var silo = 0; silo < 3; silo++)
        {
            var app = await grid.Service<IAppDirectory>(silo).FindAsync(key, CancellationToken.None);
            Assert.Equal(TimeSpan.FromSeconds(7), app!.Settings.AccessTokenValidity);
        }
    }

    [Fact]
    public async Task An_unknown_setting_is_refused_by_name_and_nothing_is_made()
    {
        var key = new AppKey("", $"app-{Guid.NewGuid():N}");

        var put = await grid.Grains.GetGrain<ICatalogGrain>(0).PutAppAsync(
            key, new TenantChange { CoreConfigPatchJson = """{"no_such_setting":7}""" }, CancellationToken.None);

        Assert.Equal(PutOutcome.InvalidConfig, put.Outcome);
        Assert.Contains("no_such_setting", put.Error, StringComparison.Ordinal);
        Assert.Null(await grid.Grains.GetGrain<IAppGrain>(key.ToString()).FindAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Api_keys_are_set_and_taken_back_with_null()
    {
        var key = await grid.CreateAppAsync("""{"api_keys":"abcdefghijklmnopqrstuvwxyz"}""");
        Assert.Single((await FindAsync(key))!.ApiKeyHashes);
        Assert.DoesNotContain("abcdefghijklmnopqrstuvwxyz", (await TenantsAsync(key))[0].CoreConfigJson, StringComparison.Ordinal);

        await grid.Grains.GetGrain<ICatalogGrain>(0).PutAppAsync(
            key, new TenantChange { CoreConfigPatchJson = """{"api_keys":null}""" }, CancellationToken.None);

        Assert.Empty((await FindAsync(key))!.ApiKeyHashes);
    }

    [Fact]
    public async Task Removing_a_tenant_ends_its_sessions_and_leaves_the_others()
    {
        var key = await grid.CreateAppAsync();
        var app = grid.Grains.GetGrain<IAppGrain>(key.ToString());
        Assert.Equal(PutOutcome.Created, (await app.PutTenantAsync("t1", NoChange, CancellationToken.None)).Outcome);
        Assert.Equal(PutOutcome.Updated, (await app.PutTenantAsync("t1", NoChange, CancellationToken.None)).Outcome);
        var ended = await grid.CreateSessionAsync(key, "t1");
        var kept = await grid.CreateSessionAsync(key);

        Assert.Equal(RemoveOutcome.Removed, (await Tenancy.RemoveTenantAsync(new TenantKey(key, "t1"), CancellationToken.None)).Outcome);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveTenantAsync(new TenantKey(key, "t1"), CancellationToken.None)).Outcome);

        Assert.Null(await grid.Store.ReadAsync(ended.Key, CancellationToken.None));
        Assert.NotNull(await grid.Store.ReadAsync(kept.Key, CancellationToken.None));
        Assert.DoesNotContain("t1", (await FindAsync(key))!.TenantIds);
    }

    [Fact]
    public async Task An_app_with_tenants_cannot_be_removed_and_one_without_takes_sessions_and_keys_with_it()
    {
        var key = await grid.CreateAppAsync();
        var app = grid.Grains.GetGrain<IAppGrain>(key.ToString());
        var catalog = grid.Grains.GetGrain<ICatalogGrain>(0);
        await app.PutTenantAsync("t1", NoChange, CancellationToken.None);
        Assert.Equal(RemoveOutcome.NotEmpty, (await Tenancy.RemoveAppAsync(key, CancellationToken.None)).Outcome);
        await Tenancy.RemoveTenantAsync(new TenantKey(key, "t1"), CancellationToken.None);
        var session = await grid.CreateSessionAsync(key);
        var keysBefore = await KidsAsync(key);

        Assert.Equal(RemoveOutcome.Removed, (await Tenancy.RemoveAppAsync(key, CancellationToken.None)).Outcome);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveAppAsync(key, CancellationToken.None)).Outcome);

        Assert.Null(await grid.Store.ReadAsync(session.Key, CancellationToken.None));
        Assert.Null(await FindAsync(key));
        await catalog.PutAppAsync(key, NoChange, CancellationToken.None);
        Assert.Empty((await KidsAsync(key)).Intersect(keysBefore));
    }

    [Fact]
    public async Task The_public_app_cannot_be_removed() =>
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveAppAsync(AppKey.Public, CancellationToken.None)).Outcome);

    [Fact]
    public async Task An_app_whose_domain_lowers_the_newest_version_below_the_apps_oldest_is_still_served()
    {
        var domain = $"d{Guid.NewGuid():N}.example";
        var app = new AppKey(domain, "a1");
        var catalog = grid.Grains.GetGrain<ICatalogGrain>(0);
        Assert.Equal(PutOutcome.Created, (await catalog.PutDomainAsync(domain, NoChange, CancellationToken.None)).Outcome);
        Assert.Equal(PutOutcome.Created, (await catalog.PutAppAsync(app, new TenantChange { CoreConfigPatchJson = """{"supertokens_min_cdi_version":"5.4"}""" }, CancellationToken.None)).Outcome);
        Assert.Equal("5.4", (await FindAsync(app))!.MinCdiVersion);

        var lowered = await catalog.PutDomainAsync(domain, new TenantChange { CoreConfigPatchJson = """{"supertokens_max_cdi_version":"5.0"}""" }, CancellationToken.None);
        var refused = await catalog.PutAppAsync(app, new TenantChange { CoreConfigPatchJson = """{"supertokens_min_cdi_version":"5.1"}""" }, CancellationToken.None);

        Assert.Equal((PutOutcome.Updated, PutOutcome.InvalidConfig), (lowered.Outcome, refused.Outcome));
        var snapshot = (await grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None))!;
        Assert.Equal((null, "5.0"), (snapshot.MinCdiVersion, snapshot.MaxCdiVersion));
    }

    [Fact]
    public async Task A_connection_uri_domain_has_apps_of_its_own()
    {
        var domain = $"d{Guid.NewGuid():N}.example:3567";
        var catalog = grid.Grains.GetGrain<ICatalogGrain>(0);
        var stray = await catalog.PutAppAsync(new AppKey(domain, "a1"), NoChange, CancellationToken.None);
        Assert.Equal(PutOutcome.ParentNotFound, stray.Outcome);

        Assert.Equal(PutOutcome.Created, (await catalog.PutDomainAsync(domain, NoChange, CancellationToken.None)).Outcome);
        await catalog.PutAppAsync(new AppKey(domain, "a1"), NoChange, CancellationToken.None);

        Assert.Equal(domain, (await grid.Service<IAppDirectory>(1).FindAsync(domain, AppKey.PublicId, CancellationToken.None)).Domain);
        Assert.Equal("", (await grid.Service<IAppDirectory>(1).FindAsync("localhost:3567", AppKey.PublicId, CancellationToken.None)).Domain);
        var entry = Assert.Single(await catalog.ListAsync(CancellationToken.None), d => d.Domain == domain);
        Assert.Equal(["public", "a1"], entry.AppIds);
        Assert.Equal(RemoveOutcome.NotEmpty, (await Tenancy.RemoveDomainAsync(domain, CancellationToken.None)).Outcome);
        await Tenancy.RemoveAppAsync(new AppKey(domain, "a1"), CancellationToken.None);
        Assert.Equal(RemoveOutcome.Removed, (await Tenancy.RemoveDomainAsync(domain, CancellationToken.None)).Outcome);
        Assert.Equal("", (await grid.Service<IAppDirectory>(2).FindAsync(domain, AppKey.PublicId, CancellationToken.None)).Domain);
    }

    [Fact]
    public async Task Login_method_settings_are_kept_per_tenant()
    {
        var key = await grid.CreateAppAsync();
        var app = grid.Grains.GetGrain<IAppGrain>(key.ToString());
        await app.PutTenantAsync("t1", new TenantChange { NewStartsWithNoFirstFactor = true }, CancellationToken.None);
        await app.PutTenantAsync("t2", new TenantChange { SetFirstFactors = true, FirstFactors = ["otp-email"] }, CancellationToken.None);

        var tenants = await TenantsAsync(key);

        Assert.Equal(["public", "t1", "t2"], tenants.Select(t => t.TenantId));
        Assert.Null(tenants[0].FirstFactors);
        Assert.Equal([], tenants[1].FirstFactors!.Value);
        Assert.Equal(["otp-email"], tenants[2].FirstFactors!.Value);
    }

    private Task<AppSnapshot?> FindAsync(AppKey app) => grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None);

    private async Task<IReadOnlyList<TenantConfig>> TenantsAsync(AppKey app) =>
        await grid.Grains.GetGrain<IAppGrain>(app.ToString()).ListTenantsAsync(CancellationToken.None);

    private async Task<string[]> KidsAsync(AppKey app) =>
        [.. (await grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString()).GetAsync(TimeSpan.FromDays(7), TimeSpan.FromHours(1), CancellationToken.None))!
            .Keys.Select(k => k.Kid)];
}
