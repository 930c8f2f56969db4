using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.Outages;
using Grid.Grains.Silos;
using Grid.Revocation.Log;
using Microsoft.Extensions.Logging;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="IAppGrain"/>
/// <remarks>Longer than most files: what an app and its tenants write, and in which order, is read in one place.</remarks>
internal sealed partial class AppGrain(
    [PersistentState("app", GrainStores.State)] IPersistentState<AppState> storage,
    InstallationDefaults defaults, ISessionStore sessions, SiloBroadcast silos, StoreOutages outages, TimeProvider clock, ILogger<AppGrain> logger) : Grain, IAppGrain
{
    private AppKey _app;
    private AppSnapshot? _snapshot;
    private AppDefaults? _inherited;
    private string? _ignored;

    private bool Exists => storage.State is { Exists: true, Removal: null } || _app == AppKey.Public;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _app = AppKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<AppSnapshot?> FindAsync(CancellationToken cancellationToken)
    {
        if (!Exists)
        {
            return null;
        }

        var inherited = await InheritAsync(cancellationToken);
        if (_snapshot is null || inherited != _inherited)
        {
            (_inherited, _snapshot) = (inherited, TakeSnapshot(inherited));
        }

        return _snapshot;
    }

    public async Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (storage.State.Removal is not null)
        {
            return new PutResult(PutOutcome.Removing);
        }

        var inherited = await InheritAsync(cancellationToken);
        var config = CoreConfig.Apply(storage.State.CoreConfigJson, change.CoreConfigPatchJson ?? "{}", inherited);
        if ((config.Error ?? await ConflictWithTenantsAsync(change, config, inherited, cancellationToken)) is { } refusal)
        {
            return new PutResult(PutOutcome.InvalidConfig, refusal);
        }

        var isNew = !Exists;
        try
        {
            if (isNew)
            {
                // Leftovers of an earlier app of this name must not come back to life.
                await sessions.RevokeAsync(new RevocationScope.WholeApp { App = _app, IsBeingMade = true }, RevocationReason.AppRemoved, clock.GetUtcNow(), CancellationToken.None);
                await ForgetKeysAsync();
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
            outages.Met("app", failure);
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

        if (storage.State.TenantRemovals.ContainsKey(tenantId))
        {
            return new PutResult(PutOutcome.Removing);
        }

        if (change.CoreConfigPatchJson is { } patch && CoreConfig.ConflictWithApp(patch, storage.State.CoreConfigJson, TakeSnapshot(await InheritAsync(cancellationToken)).Effective) is { } conflict)
        {
            return new PutResult(PutOutcome.InvalidConfig, conflict);
        }

        var isNew = !storage.State.TenantIds.Contains(tenantId);
        try
        {
            // Leftovers of an earlier tenant of this name must not come back to life.
            var ended = isNew ? await EndTenantSessionsAsync(tenantId) : [];

            var tenant = await PutTenantConfigAsync(tenantId, change, cancellationToken);
            if (tenant.Outcome is not (PutOutcome.Created or PutOutcome.Updated))
            {
                return tenant;
            }

            if (isNew)
            {
                await CommitAsync(storage.State with { Exists = true, TenantIds = storage.State.TenantIds.Add(tenantId) });
            }
            else
            {
                // Every silo has a copy of its address rules.
                await silos.AppChangedAsync(_app);
            }

            return new PutResult(isNew ? PutOutcome.Created : PutOutcome.Updated, Ended: ended);
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("app", failure);
            return new PutResult(PutOutcome.Unavailable);
        }
    }

    public async Task<RemovalStart> BeginRemovalAsync(bool onlyBegun, CancellationToken cancellationToken)
    {
        if (_app == AppKey.Public || (storage.State.Removal is null && (onlyBegun || !storage.State.Exists)))
        {
            return new RemovalStart(RemoveOutcome.NotFound);
        }

        if (storage.State.Removal is null && !storage.State.TenantIds.IsEmpty)
        {
            return new RemovalStart(RemoveOutcome.NotEmpty);
        }

        return await BeginAsync(
            _app.ToString(), storage.State.Removal, removal => storage.State with { Removal = removal },
            new RevocationScope.WholeApp { App = _app }, RevocationReason.AppRemoved);
    }

    public async Task<RemoveOutcome> EndRemovalAsync(Guid removal, CancellationToken cancellationToken)
    {
        if (storage.State.Removal != removal)
        {
            return RemoveOutcome.Removed;
        }

        try
        {
            // If its keys were kept, a later app of this name would accept the old one's access tokens.
            await ForgetKeysAsync();
            foreach (var tenantId in storage.State.TenantRemovals.Keys.Append(TenantKey.PublicId))
            {
                await ForgetTenantAsync(tenantId, cancellationToken);
            }

            await CommitAsync(new AppState());
            return RemoveOutcome.Removed;
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("app", failure);
            return RemoveOutcome.Unavailable;
        }
    }

    public async Task<RemovalStart> BeginTenantRemovalAsync(string tenantId, bool onlyBegun, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        Guid? begun = storage.State.TenantRemovals.TryGetValue(tenantId, out var earlier) ? earlier : null;
        if (begun is null && (onlyBegun || !storage.State.TenantIds.Contains(tenantId)))
        {
            return new RemovalStart(RemoveOutcome.NotFound);
        }

        return await BeginAsync(
            new TenantKey(_app, tenantId).ToString(), begun,
            removal => storage.State with { TenantIds = storage.State.TenantIds.Remove(tenantId), TenantRemovals = storage.State.TenantRemovals.Add(tenantId, removal) },
            new RevocationScope.Tenant { App = _app, TenantId = tenantId }, RevocationReason.TenantRemoved);
    }

    public async Task<RemoveOutcome> EndTenantRemovalAsync(string tenantId, Guid removal, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        if (!storage.State.TenantRemovals.TryGetValue(tenantId, out var begun) || begun != removal)
        {
            return RemoveOutcome.Removed;
        }

        try
        {
            await ForgetTenantAsync(tenantId, cancellationToken);
            await CommitAsync(storage.State with { TenantRemovals = storage.State.TenantRemovals.Remove(tenantId) });
            return RemoveOutcome.Removed;
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("app", failure);
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

    // Marked first, then emptied, so that no silo can add a session in between. Not confirmed here: this is a grain call.
    private async Task<RemovalStart> BeginAsync(string key, Guid? begun, Func<Guid, AppState> mark, RevocationScope scope, RevocationReason reason)
    {
        try
        {
            if (begun is null && !await GrainFactory.GetGrain<IRemovalGrain>(key).BeginAsync())
            {
                return new RemovalStart(RemoveOutcome.Unavailable);
            }

            var removal = begun ?? Guid.NewGuid();
            if (begun is null)
            {
                await CommitAsync(mark(removal));
            }

            var revoked = await sessions.RevokeAsync(scope, reason, clock.GetUtcNow(), CancellationToken.None);
            return new RemovalStart(RemoveOutcome.Removing, removal, revoked.Entries);
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("app", failure);
            return new RemovalStart(RemoveOutcome.Unavailable);
        }
    }

    private async Task<ImmutableArray<RevocationEntry>> EndTenantSessionsAsync(string tenantId) => (await sessions.RevokeAsync(
        new RevocationScope.Tenant { App = _app, TenantId = tenantId, IsBeingMade = true }, RevocationReason.TenantRemoved, clock.GetUtcNow(), CancellationToken.None)).Entries;

    private async Task ForgetTenantAsync(string tenantId, CancellationToken cancellationToken)
    {
        if (await GrainFactory.GetGrain<ITenantGrain>(new TenantKey(_app, tenantId).ToString()).RemoveAsync(cancellationToken) == RemoveOutcome.Unavailable)
        {
            throw new StoreUnavailableException("The tenant's settings could not be removed.");
        }
    }

    private async Task ForgetKeysAsync()
    {
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

    // Apps inherit the settings of their connection URI domain.
    private async Task<AppDefaults> InheritAsync(CancellationToken cancellationToken) => _app.Domain.Length == 0 || _app.AppId == AppKey.PublicId
        ? defaults.Now
        : (await GrainFactory.GetGrain<IAppGrain>(new AppKey(_app.Domain, AppKey.PublicId).ToString()).FindAsync(cancellationToken))?.Effective ?? defaults.Now;

    // A tenant may repeat its app's value. Then the app's cannot be changed as long as the tenant's is not.
    private async Task<string?> ConflictWithTenantsAsync(TenantChange change, CoreConfigResult config, AppDefaults inherited, CancellationToken cancellationToken)
    {
        if (change.CoreConfigPatchJson is not { } patch || storage.State.TenantIds.IsEmpty)
        {
            return null;
        }

        var next = config.Effective with
        {
            ApiKeyHashes = (config.ApiKeysChanged ? config.OwnApiKeyHashes : storage.State.ApiKeyHashes) ?? inherited.ApiKeyHashes,
        };
        return (await ListTenantsAsync(cancellationToken)).Where(tenant => tenant.TenantId != TenantKey.PublicId)
            .Select(tenant => CoreConfig.ConflictWithApp(CoreConfig.Touched(tenant.CoreConfigJson, patch), config.StoredJson, next))
            .FirstOrDefault(conflict => conflict is not null);
    }

    private AppSnapshot TakeSnapshot(AppDefaults inherited)
    {
        var effective = CoreConfig.Effective(storage.State.CoreConfigJson, inherited, out var ignored);
        if (ignored is not null && ignored != _ignored)
        {
            Log.Ignored(logger, _app.ToString(), ignored);
        }

        _ignored = ignored;
        return new AppSnapshot
        {
            App = _app,
            Settings = effective.Settings,

            // Empty was once taken for a setting, and opened the app.
            ApiKeyHashes = storage.State.ApiKeyHashes is { IsEmpty: false } own ? own : effective.ApiKeyHashes,
            TenantIds = storage.State.TenantIds.Add(TenantKey.PublicId).ToImmutableHashSet(StringComparer.Ordinal),
            IpAllowRegex = effective.IpAllowRegex,
            IpDenyRegex = effective.IpDenyRegex,
            MaxCdiVersion = effective.MaxCdiVersion,
            MinCdiVersion = effective.MinCdiVersion,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(2340, LogLevel.Warning, "App {App}: {Ignored}. Change one of them")]
        public static partial void Ignored(ILogger logger, string app, string ignored);
    }
}
