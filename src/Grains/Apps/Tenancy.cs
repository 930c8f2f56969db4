using Grid.Abstractions.Apps;
using Grid.Revocation.Acknowledgement;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="ITenancy"/>
/// <remarks>Runs outside grains, so that it may wait for confirmations.</remarks>
internal sealed class Tenancy(IGrainFactory grains, Revoker revoker) : ITenancy
{
    private ICatalogGrain Catalog => grains.GetGrain<ICatalogGrain>(0);

    public Task<PutResult> PutDomainAsync(string domain, TenantChange change, CancellationToken cancellationToken) => PutAsync(
        () => Catalog.PutDomainAsync(domain, change, cancellationToken), () => RemoveDomainAsync(domain, onlyBegun: true));

    public Task<PutResult> PutAppAsync(AppKey app, TenantChange change, CancellationToken cancellationToken) => PutAsync(
        () => Catalog.PutAppAsync(app, change, cancellationToken), () => RemoveAppAsync(app, onlyBegun: true));

    public Task<PutResult> PutTenantAsync(TenantKey tenant, TenantChange change, CancellationToken cancellationToken) => PutAsync(
        () => App(tenant.App).PutTenantAsync(tenant.TenantId, change, cancellationToken), () => RemoveTenantAsync(tenant, onlyBegun: true));

    public Task<Removal> RemoveDomainAsync(string domain, CancellationToken cancellationToken) => RemoveDomainAsync(domain, onlyBegun: false);

    public Task<Removal> RemoveAppAsync(AppKey app, CancellationToken cancellationToken) => RemoveAppAsync(app, onlyBegun: false);

    public Task<Removal> RemoveTenantAsync(TenantKey tenant, CancellationToken cancellationToken) => RemoveTenantAsync(tenant, onlyBegun: false);

    /// <summary>Finishes a removal that was begun; leaves alone what was created since.</summary>
    /// <param name="key">Text of the app's or tenant's key.</param>
    public async Task<RemoveOutcome> FinishAsync(string key)
    {
        if (key.Contains('/', StringComparison.Ordinal))
        {
            return (await RemoveTenantAsync(TenantKey.Parse(key), onlyBegun: true)).Outcome;
        }

        var app = AppKey.Parse(key);
        return (app.AppId == AppKey.PublicId ? await RemoveDomainAsync(app.Domain, onlyBegun: true) : await RemoveAppAsync(app, onlyBegun: true)).Outcome;
    }

    private async Task<PutResult> PutAsync(Func<Task<PutResult>> put, Func<Task<Removal>> finishRemoval)
    {
        var result = await put();
        if (result.Outcome == PutOutcome.Removing)
        {
            result = (await finishRemoval()).Outcome is RemoveOutcome.Removed or RemoveOutcome.NotFound ? await put() : new PutResult(PutOutcome.Unavailable);
        }

        // A session that slipped into an earlier tenant of this name is revoked before the new one is acknowledged.
        await revoker.ConfirmAsync(result.Ended, CancellationToken.None);
        return result.Outcome == PutOutcome.Removing ? new PutResult(PutOutcome.Unavailable) : result with { Ended = [] };
    }

    private Task<Removal> RemoveTenantAsync(TenantKey tenant, bool onlyBegun) => RemoveAsync(
        tenant.ToString(), () => App(tenant.App).BeginTenantRemovalAsync(tenant.TenantId, onlyBegun, CancellationToken.None),
        removal => App(tenant.App).EndTenantRemovalAsync(tenant.TenantId, removal, CancellationToken.None));

    private Task<Removal> RemoveAppAsync(AppKey app, bool onlyBegun) => RemoveAsync(
        app.ToString(), () => App(app).BeginRemovalAsync(onlyBegun, CancellationToken.None),
        async removal => await Catalog.UnlistAppAsync(app, CancellationToken.None) == RemoveOutcome.Unavailable
            ? RemoveOutcome.Unavailable
            : await App(app).EndRemovalAsync(removal, CancellationToken.None));

    private async Task<Removal> RemoveDomainAsync(string domain, bool onlyBegun)
    {
        var marked = await Catalog.BeginDomainRemovalAsync(domain, onlyBegun, CancellationToken.None);
        if (marked != RemoveOutcome.Removing)
        {
            return new Removal(marked, RevocationReceipt.None);
        }

        var app = new AppKey(domain, AppKey.PublicId);
        var removed = await RemoveAsync(
            app.ToString(), () => App(app).BeginRemovalAsync(onlyBegun: false, CancellationToken.None),
            removal => App(app).EndRemovalAsync(removal, CancellationToken.None));
        switch (removed.Outcome)
        {
            case RemoveOutcome.Removed or RemoveOutcome.NotFound:
                return removed with { Outcome = await Catalog.EndDomainRemovalAsync(domain, keep: false, CancellationToken.None) };
            case RemoveOutcome.NotEmpty:
                // A tenant was created in the meantime.
                await Catalog.EndDomainRemovalAsync(domain, keep: true, CancellationToken.None);
                return removed;
            default:
                return removed;
        }
    }

    private async Task<Removal> RemoveAsync(string key, Func<Task<RemovalStart>> begin, Func<Guid, Task<RemoveOutcome>> endRemoval)
    {
        var start = await begin();
        if (start.Outcome != RemoveOutcome.Removing)
        {
            return new Removal(start.Outcome, RevocationReceipt.None);
        }

        var receipt = await revoker.ConfirmAsync(start.Ended, CancellationToken.None);
        var outcome = await endRemoval(start.Removal);
        if (outcome == RemoveOutcome.Removed)
        {
            await grains.GetGrain<IRemovalGrain>(key).EndAsync();
        }

        return new Removal(outcome, receipt);
    }

    private IAppGrain App(AppKey app) => grains.GetGrain<IAppGrain>(app.ToString());
}
