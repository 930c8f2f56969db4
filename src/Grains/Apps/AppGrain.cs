using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.Silos;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="IAppGrain"/>
internal sealed partial class AppGrain(
    [PersistentState("app", GrainStores.State)] IPersistentState<AppState> storage,
    AppDefaults defaults, ISessionRevoker revoker, SiloBroadcast silos, ILogger<AppGrain> logger) : Grain, IAppGrain
{
    private AppKey _app;
    private AppSnapshot? _snapshot;

    private bool Exists => storage.State.Exists || _app == AppKey.Public;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _app = AppKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public Task<AppSnapshot?> FindAsync(CancellationToken cancellationToken) =>
        Task.FromResult(Exists ? _snapshot ??= TakeSnapshot() : null);

    public async Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var config = CoreConfig.Apply(storage.State.CoreConfigJson, change.CoreConfigPatchJson ?? "{}", defaults);
        if (config.Error is not null)
        {
            return new PutResult(PutOutcome.InvalidConfig, config.Error);
        }

        var isNew = !Exists;
        try
        {
            if (isNew)
            {
                // Whatever an app of this name left behind must not come back to life with it.
                await ForgetContentsAsync(RevocationReason.AppRemoved);
            }

            var tenant = await PutTenantConfigAsync(TenantKey.PublicId, change, cancellationToken);
            if (tenant.Outcome is not (PutOutcome.Created or PutOutcome.Updated))
            {
                return tenant;
            }

            await CommitAsync(storage.State with
            {
                Exists = true,
                CoreConfigJson = config.StoredJson,
                ApiKeyHashes = config.ApiKeysChanged ? config.OwnApiKeyHashes : storage.State.ApiKeyHashes,
            });
            return new PutResult(isNew ? PutOutcome.Created : PutOutcome.Updated);
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, _app.ToString());
            return new PutResult(PutOutcome.Unavailable);
        }
    }

    public async Task<PutResult> PutTenantAsync(string tenantId, TenantChange change, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        ArgumentNullException.ThrowIfNull(change);
        if (!Exists)
        {
            return new PutResult(PutOutcome.ParentNotFound);
        }

        if (tenantId == TenantKey.PublicId)
        {
            return await PutAsync(change, cancellationToken);
        }

        var isNew = !storage.State.TenantIds.Contains(tenantId);
        try
        {
            if (isNew)
            {
                await EndTenantSessionsAsync(tenantId);
            }

            var tenant = await PutTenantConfigAsync(tenantId, change, cancellationToken);
            if (tenant.Outcome is not (PutOutcome.Created or PutOutcome.Updated))
            {
                return tenant;
            }

            if (isNew)
            {
                await CommitAsync(storage.State with { Exists = true, TenantIds = storage.State.TenantIds.Add(tenantId) });
            }

            return new PutResult(isNew ? PutOutcome.Created : PutOutcome.Updated);
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, _app.ToString());
            return new PutResult(PutOutcome.Unavailable);
        }
    }

    public async Task<RemoveOutcome> RemoveAsync(CancellationToken cancellationToken)
    {
        if (!storage.State.Exists)
        {
            return RemoveOutcome.NotFound;
        }

        if (!storage.State.TenantIds.IsEmpty)
        {
            return RemoveOutcome.NotEmpty;
        }

        try
        {
            // Unknown to every silo first, then emptied: no session can be added in between.
            await CommitAsync(new AppState());
            await ForgetContentsAsync(RevocationReason.AppRemoved);
            await GrainFactory.GetGrain<ITenantGrain>(new TenantKey(_app, TenantKey.PublicId).ToString()).RemoveAsync(cancellationToken);
            return RemoveOutcome.Removed;
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, _app.ToString());
            return RemoveOutcome.Unavailable;
        }
    }

    public async Task<RemoveOutcome> RemoveTenantAsync(string tenantId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        if (!storage.State.TenantIds.Contains(tenantId))
        {
            return RemoveOutcome.NotFound;
        }

        try
        {
            await CommitAsync(storage.State with { TenantIds = storage.State.TenantIds.Remove(tenantId) });
            await EndTenantSessionsAsync(tenantId);
            await GrainFactory.GetGrain<ITenantGrain>(new TenantKey(_app, tenantId).ToString()).RemoveAsync(cancellationToken);
            return RemoveOutcome.Removed;
        }
        catch (StoreUnavailableException failure)
        {
            Log.StoreUnavailable(logger, failure, _app.ToString());
            return RemoveOutcome.Unavailable;
        }
    }

    public async Task<ImmutableArray<TenantConfig>> ListTenantsAsync(CancellationToken cancellationToken)
    {
        if (!Exists)
        {
            return [];
        }

        var configs = await Task.WhenAll(storage.State.TenantIds.Prepend(TenantKey.PublicId).Select(
            id => GrainFactory.GetGrain<ITenantGrain>(new TenantKey(_app, id).ToString()).FindAsync(cancellationToken)));
        return [.. configs.OfType<TenantConfig>()];
    }

    private Task<PutResult> PutTenantConfigAsync(string tenantId, TenantChange change, CancellationToken cancellationToken) =>
        GrainFactory.GetGrain<ITenantGrain>(new TenantKey(_app, tenantId).ToString()).PutAsync(change, cancellationToken);

    // Committed, not confirmed: this is a grain's turn. Whoever asked for a removal sees to the rest.
    private async Task EndTenantSessionsAsync(string tenantId) => await revoker.CommitAsync(
        new RevocationScope.Tenant { App = _app, TenantId = tenantId }, RevocationReason.TenantRemoved, CancellationToken.None);

    private async Task ForgetContentsAsync(RevocationReason reason)
    {
        await revoker.CommitAsync(new RevocationScope.WholeApp { App = _app }, reason, CancellationToken.None);

        // With its keys kept, a namesake would accept the old app's access tokens.
        if (!await GrainFactory.GetGrain<ISigningKeysGrain>(_app.ToString()).RemoveAsync(CancellationToken.None))
        {
            throw new StoreUnavailableException("The app's keys could not be removed.");
        }

        await silos.AppChangedAsync(_app);
    }

    private async Task CommitAsync(AppState next)
    {
        _snapshot = null;
        await storage.CommitAsync(next, this);
        await silos.AppChangedAsync(_app);
    }

    private AppSnapshot TakeSnapshot()
    {
        var config = CoreConfig.Apply(storage.State.CoreConfigJson, "{}", defaults);
        return new AppSnapshot
        {
            App = _app,
            Settings = config.Settings,

            // Empty was once taken for a setting, and opened the app.
            ApiKeyHashes = storage.State.ApiKeyHashes is { IsEmpty: false } own ? own : defaults.ApiKeyHashes,
            TenantIds = storage.State.TenantIds.Add(TenantKey.PublicId).ToImmutableHashSet(StringComparer.Ordinal),
            IpAllowRegex = config.IpAllowRegex,
            IpDenyRegex = config.IpDenyRegex,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(2300, LogLevel.Warning, "Store away while app {App} was changed; outcome unknown")]
        public static partial void StoreUnavailable(ILogger logger, Exception failure, string app);
    }
}
