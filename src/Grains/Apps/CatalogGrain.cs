using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Grains.Outages;
using Grid.Grains.Silos;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="ICatalogGrain"/>
internal sealed class CatalogGrain(
    [PersistentState("catalog", GrainStores.State)] IPersistentState<CatalogState> storage, SiloBroadcast silos, StoreOutages outages)
    : Grain, ICatalogGrain
{
    private ImmutableSortedDictionary<string, ImmutableSortedSet<string>> Domains => storage.State.AppIdsByDomain;

    public Task<ImmutableArray<DomainEntry>> ListAsync(CancellationToken cancellationToken)
    {
        ImmutableArray<DomainEntry> domains =
            [Entry(""), .. Domains.Keys.Where(d => d.Length > 0).Select(Entry)];
        return Task.FromResult(domains);
    }

    public async Task<PutResult> PutDomainAsync(string domain, TenantChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(domain);
        if (storage.State.RemovingDomains.Contains(domain))
        {
            return new PutResult(PutOutcome.Removing);
        }

        var put = await Grain(new AppKey(domain, AppKey.PublicId)).PutAsync(change, cancellationToken);
        return await ListedAsync(put, domain, []);
    }

    public async Task<PutResult> PutAppAsync(AppKey app, TenantChange change, CancellationToken cancellationToken)
    {
        if (app.Domain.Length > 0 && (!Domains.ContainsKey(app.Domain) || storage.State.RemovingDomains.Contains(app.Domain)))
        {
            return new PutResult(PutOutcome.ParentNotFound);
        }

        var put = await Grain(app).PutAsync(change, cancellationToken);
        return await ListedAsync(put, app.Domain, app.AppId == AppKey.PublicId ? [] : [app.AppId]);
    }

    public async Task<RemoveOutcome> UnlistAppAsync(AppKey app, CancellationToken cancellationToken)
    {
        if (!Domains.TryGetValue(app.Domain, out var apps) || !apps.Contains(app.AppId))
        {
            return RemoveOutcome.NotFound;
        }

        if (!await TryCommitAsync(storage.State with { AppIdsByDomain = Domains.SetItem(app.Domain, apps.Remove(app.AppId)) }))
        {
            return RemoveOutcome.Unavailable;
        }

        await silos.AppChangedAsync(null);
        return RemoveOutcome.Removed;
    }

    public async Task<RemoveOutcome> BeginDomainRemovalAsync(string domain, bool onlyBegun, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(domain);
        if (storage.State.RemovingDomains.Contains(domain))
        {
            return RemoveOutcome.Removing;
        }

        if (onlyBegun || domain.Length == 0 || !Domains.TryGetValue(domain, out var apps))
        {
            return RemoveOutcome.NotFound;
        }

        if (!apps.IsEmpty || !(await Grain(new AppKey(domain, AppKey.PublicId)).ListTenantsAsync(cancellationToken)).All(t => t.TenantId == TenantKey.PublicId))
        {
            return RemoveOutcome.NotEmpty;
        }

        return await TryCommitAsync(storage.State with { RemovingDomains = storage.State.RemovingDomains.Add(domain) })
            ? RemoveOutcome.Removing
            : RemoveOutcome.Unavailable;
    }

    public async Task<RemoveOutcome> EndDomainRemovalAsync(string domain, bool keep, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(domain);
        if (!storage.State.RemovingDomains.Contains(domain))
        {
            return RemoveOutcome.Removed;
        }

        if (!await TryCommitAsync(storage.State with { AppIdsByDomain = keep ? Domains : Domains.Remove(domain), RemovingDomains = storage.State.RemovingDomains.Remove(domain) }))
        {
            return RemoveOutcome.Unavailable;
        }

        await silos.AppChangedAsync(null);
        return RemoveOutcome.Removed;
    }

    private IAppGrain Grain(AppKey app) => GrainFactory.GetGrain<IAppGrain>(app.ToString());

    private DomainEntry Entry(string domain) =>
        new(domain, [AppKey.PublicId, .. Domains.GetValueOrDefault(domain, [])]);

    private async Task<PutResult> ListedAsync(PutResult put, string domain, ImmutableSortedSet<string> appIds)
    {
        var known = Domains.TryGetValue(domain, out var before);
        var after = (before ?? []).Union(appIds);
        if (put.Outcome is not (PutOutcome.Created or PutOutcome.Updated) || (known && after.Count == before!.Count)
            || (domain.Length == 0 && appIds.IsEmpty))
        {
            return put;
        }

        if (!await TryCommitAsync(storage.State with { AppIdsByDomain = Domains.SetItem(domain, after) }))
        {
            return new PutResult(PutOutcome.Unavailable);
        }

        // Every silo looks names up in its copy of the list.
        await silos.AppChangedAsync(null);
        return put;
    }

    private async Task<bool> TryCommitAsync(CatalogState next)
    {
        try
        {
            await storage.CommitAsync(next, this);
            return true;
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("list of apps", failure);
            return false;
        }
    }
}
