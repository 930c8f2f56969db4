using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.Grains.Outages;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="ITenantGrain"/>
internal sealed class TenantGrain(
    [PersistentState("tenant", GrainStores.State)] IPersistentState<TenantState> storage,
    InstallationDefaults defaults, StoreOutages outages) : Grain, ITenantGrain
{
    private TenantKey _key;

    // The public tenant of the public app always exists; all others were created.
    private TenantConfig? Config => storage.State.Config ?? (_key == new TenantKey(AppKey.Public, TenantKey.PublicId) ? AllMethods(_key.TenantId) : null);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public Task<TenantConfig?> FindAsync(CancellationToken cancellationToken) => Task.FromResult(Config);

    public async Task<PutResult> PutAsync(TenantChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var isNew = Config is null;
        var current = Config
            ?? (change.IsOfOlderShape ? new TenantConfig { TenantId = _key.TenantId }
                : change.NewStartsWithNoFirstFactor ? AllMethods(_key.TenantId) with { FirstFactors = [] }
                : AllMethods(_key.TenantId));
        var config = CoreConfig.Merge(
            current.CoreConfigJson, change.CoreConfigPatchJson ?? "{}", defaults.Now, _key.TenantId == TenantKey.PublicId ? SettingLevel.App : SettingLevel.Tenant);
        if (config.Error is not null)
        {
            return new PutResult(PutOutcome.InvalidConfig, config.Error);
        }

        var next = current with
        {
            FirstFactors = change.SetFirstFactors ? change.FirstFactors : current.FirstFactors,
            RequiredSecondaryFactors = change.SetRequiredSecondaryFactors ? change.RequiredSecondaryFactors : current.RequiredSecondaryFactors,
            EmailPasswordEnabled = change.EmailPasswordEnabled ?? current.EmailPasswordEnabled,
            ThirdPartyEnabled = change.ThirdPartyEnabled ?? current.ThirdPartyEnabled,
            PasswordlessEnabled = change.PasswordlessEnabled ?? current.PasswordlessEnabled,
            CoreConfigJson = config.StoredJson,
        };
        if (change.IsOfOlderShape && LoginMethods.Contradiction(next) is { } contradiction)
        {
            return new PutResult(PutOutcome.InvalidConfig, contradiction);
        }

        return await TryCommitAsync(next) ? new PutResult(isNew ? PutOutcome.Created : PutOutcome.Updated) : new PutResult(PutOutcome.Unavailable);
    }

    public async Task<PutResult> PutThirdPartyProviderAsync(string thirdPartyId, string configJson, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(thirdPartyId);
        ArgumentException.ThrowIfNullOrEmpty(configJson);
        if (Config is not { } current)
        {
            return new PutResult(PutOutcome.ParentNotFound);
        }

        var providers = JsonNode.Parse(current.ThirdPartyProvidersJson)!.AsArray();
        var existing = Find(providers, thirdPartyId);
        if (existing is not null)
        {
            providers.Remove(existing);
        }

        providers.Add(JsonNode.Parse(configJson));
        var next = current with { ThirdPartyProvidersJson = providers.ToJsonString(JsonSerializerOptions.Default) };
        return await TryCommitAsync(next)
            ? new PutResult(existing is null ? PutOutcome.Created : PutOutcome.Updated)
            : new PutResult(PutOutcome.Unavailable);
    }

    public async Task<RemoveOutcome> RemoveThirdPartyProviderAsync(string thirdPartyId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(thirdPartyId);
        var providers = JsonNode.Parse(Config?.ThirdPartyProvidersJson ?? "[]")!.AsArray();
        if (Config is not { } current || Find(providers, thirdPartyId) is not { } existing)
        {
            return RemoveOutcome.NotFound;
        }

        providers.Remove(existing);
        return await TryCommitAsync(current with { ThirdPartyProvidersJson = providers.ToJsonString(JsonSerializerOptions.Default) })
            ? RemoveOutcome.Removed
            : RemoveOutcome.Unavailable;
    }

    public async Task<RemoveOutcome> RemoveAsync(CancellationToken cancellationToken)
    {
        if (storage.State.Config is null)
        {
            return RemoveOutcome.NotFound;
        }

        return await TryCommitAsync(null) ? RemoveOutcome.Removed : RemoveOutcome.Unavailable;
    }

    private static TenantConfig AllMethods(string tenantId) => new()
    {
        TenantId = tenantId,
        EmailPasswordEnabled = true,
        ThirdPartyEnabled = true,
        PasswordlessEnabled = true,
    };

    private static JsonNode? Find(JsonArray providers, string thirdPartyId) =>
        providers.FirstOrDefault(p => p?["thirdPartyId"]?.GetValue<string>() == thirdPartyId);

    private async Task<bool> TryCommitAsync(TenantConfig? next)
    {
        try
        {
            await storage.CommitAsync(new TenantState { Config = next }, this);
            return true;
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("tenant", failure);
            return false;
        }
    }
}
