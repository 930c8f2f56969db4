using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Grid.WebFront.Core;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Upstream;

/// <summary>Takes over apps and tenants that the core behind Grid has and Grid has not seen: those from before Grid stood in front of it, and what a crash left half done.</summary>
/// <remarks>
/// Asked at a request's first sight of a name, never for callers without a key. A name that is not there is remembered for
/// <see cref="MissingFor"/>, and only so many are asked for at once: what browsers write into paths costs next to nothing.
/// </remarks>
internal sealed partial class UpstreamTenants(
    UpstreamClient client, UpstreamPulse pulse, UpstreamFailures failures, ITenancy tenancy, IAppDirectory apps, TimeProvider clock, ILogger<UpstreamTenants> logger)
    : ITenantsBehind, IDisposable
{
    /// <summary>How long a name that is not there is not asked for again.</summary>
    public static readonly TimeSpan MissingFor = TimeSpan.FromSeconds(5);

    private const int MaxAtOnce = 8;
    private const int MaxMissing = 4096;
    private const int MaxMissingOfApp = 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // A change is heard of by every silo within a second.
    private static readonly TimeSpan HeardWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<TenantKey, Lazy<Task<UpstreamAnswer>>> _asking = new();
    private readonly SharedCache<TenantKey, long> _missing = new(MaxMissingOfApp, MaxMissing);
    private readonly SemaphoreSlim _places = new(MaxAtOnce);

    /// <summary>The app of a request whose app or tenant Grid does not know, if the core behind it does.</summary>
    /// <returns>The app with the tenant; null if there is none.</returns>
    /// <exception cref="CoreException">The core behind Grid does not say: 503 or 504.</exception>
    public async Task<AppSnapshot?> FindAsync(HttpContext context, AppSnapshot? known)
    {
        var request = CoreRequest.Of(context);
        var app = new AppKey(request.Domain, request.Path.AppId);
        if (!CorePath.CouldExist(app.AppId) || !CorePath.CouldExist(request.TenantId)
            || (known is null && !await LearnAsync(context, new TenantKey(app, TenantKey.PublicId)))
            || (!request.IsPublicTenant && !await LearnAsync(context, new TenantKey(app, request.TenantId))))
        {
            return null;
        }

        for (var began = clock.GetTimestamp(); ; await Task.Delay(LookAgain, clock, context.RequestAborted))
        {
            if (await apps.FindAsync(app, context.RequestAborted) is { } found && found.TenantIds.Contains(request.TenantId))
            {
                return found;
            }

            if (clock.GetElapsedTime(began) > HeardWithin)
            {
                throw new StoreUnavailableException("A tenant that was just taken over is not heard of yet.");
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TakeOverAsync(TenantKey tenant)
    {
        if (!CorePath.CouldExist(tenant.TenantId))
        {
            return false;
        }

        // The request's own view of the app may be older than this silo's.
        if (await apps.FindAsync(tenant.App, CancellationToken.None) is { } app && app.TenantIds.Contains(tenant.TenantId))
        {
            return true;
        }

        var answer = await LearnAsync(tenant);
        return answer.Trouble == UpstreamTrouble.None
            ? answer.Word() == "OK"
            : throw new StoreUnavailableException($"The tenant of a session is not known yet. {failures.Count(answer.Trouble)}");
    }

    public void Dispose() => _places.Dispose();

    /// <summary>The other core's own settings, as far as Grid obeys them and they do not concern its door; the rest is for that core to judge.</summary>
    public static string? SettingsForGrid(JsonObject? coreConfig)
    {
        if (coreConfig is null)
        {
            return null;
        }

        var kept = new JsonObject();
        foreach (var (name, value) in coreConfig)
        {
            if (SettingTable.FindCoreConfig(name) is { Use: SettingUse.Obeyed, Level: not SettingLevel.Base })
            {
                kept[name] = value?.DeepClone();
            }
        }

        return kept.ToJsonString();
    }

    private async Task<bool> LearnAsync(HttpContext context, TenantKey tenant)
    {
        var answer = await LearnAsync(tenant);
        return answer.Trouble == UpstreamTrouble.None ? answer.Word() == "OK" : throw failures.Refuse(context, answer.Trouble);
    }

    // One request for all who ask for the same name at once.
    private async Task<UpstreamAnswer> LearnAsync(TenantKey tenant)
    {
        if (_missing.TryGet(tenant.App, tenant, out var since) && clock.GetElapsedTime(since) < MissingFor)
        {
            return default;
        }

        var asking = _asking.GetOrAdd(tenant, name => new Lazy<Task<UpstreamAnswer>>(() => AskAndKeepAsync(name)));
        try
        {
            return await asking.Value;
        }
        finally
        {
            _asking.TryRemove(KeyValuePair.Create(tenant, asking));
        }
    }

    private async Task<UpstreamAnswer> AskAndKeepAsync(TenantKey tenant)
    {
        if (!await _places.WaitAsync(Patience))
        {
            return new UpstreamAnswer(UpstreamTrouble.Slow);
        }

        try
        {
            var answer = await AskAsync(tenant);
            if (answer.Trouble != UpstreamTrouble.None)
            {
                return answer;
            }

            if (answer.Word() != "OK")
            {
                _missing.Set(tenant.App, tenant, clock.GetTimestamp());
                return answer;
            }

            await KeepAsync(tenant, SettingsForGrid(answer.Json()!["coreConfig"] as JsonObject));

            // It may have been removed in between, by a call that removed it here before it was kept.
            answer = await AskAsync(tenant);
            if (answer.Trouble == UpstreamTrouble.None && answer.Word() != "OK")
            {
                await ForgetAsync(tenant);
            }

            return answer;
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>What the core behind Grid says of a tenant: <c>OK</c> if it has it. An error is trouble: it does not say that the tenant is gone.</summary>
    public async Task<UpstreamAnswer> AskAsync(TenantKey tenant)
    {
        var app = tenant.App.AppId == AppKey.PublicId ? "" : $"/appid-{tenant.App.AppId}";
        var path = tenant.TenantId == TenantKey.PublicId ? "" : $"/{tenant.TenantId}";
        var answer = await client.AskAsync(
            "GET", $"{app}{path}/recipe/multitenancy/tenant", pulse.Version, tenant.App.Domain.Length > 0 ? tenant.App.Domain : null, body: null, Patience, CancellationToken.None);
        return answer.OrFailing();
    }

    private async Task KeepAsync(TenantKey tenant, string? settings)
    {
        var put = await PutAsync(tenant, settings);
        if (put.Outcome == PutOutcome.InvalidConfig)
        {
            // Without them sessions have the installation's settings; without the tenant there would be none.
            Log.SettingsNotKept(logger, tenant.ToString(), put.Error ?? "");
            put = await PutAsync(tenant, null);
        }

        if (put.Outcome is not (PutOutcome.Created or PutOutcome.Updated))
        {
            throw new StoreUnavailableException("A tenant of the core behind Grid could not be taken over.");
        }

        Log.Kept(logger, tenant.ToString());
    }

    private Task<PutResult> PutAsync(TenantKey tenant, string? settings)
    {
        var change = new TenantChange { CoreConfigPatchJson = settings };
        return tenant.TenantId != TenantKey.PublicId ? tenancy.PutTenantAsync(tenant, change, CancellationToken.None)
            : IsDomain(tenant) ? tenancy.PutDomainAsync(tenant.App.Domain, change, CancellationToken.None)
            : tenancy.PutAppAsync(tenant.App, change, CancellationToken.None);
    }

    // What a domain is known by is its public app.
    private static bool IsDomain(TenantKey tenant) => tenant.App.Domain.Length > 0 && tenant.App.AppId == AppKey.PublicId && tenant.TenantId == TenantKey.PublicId;

    private async Task ForgetAsync(TenantKey tenant)
    {
        if (IsDomain(tenant))
        {
            await tenancy.RemoveDomainAsync(tenant.App.Domain, CancellationToken.None);
        }
        else if (tenant.TenantId == TenantKey.PublicId)
        {
            await tenancy.RemoveAppAsync(tenant.App, CancellationToken.None);
        }
        else
        {
            await tenancy.RemoveTenantAsync(tenant, CancellationToken.None);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3133, LogLevel.Information, "Took over {Tenant}, which the core behind Grid has")]
        public static partial void Kept(ILogger logger, string tenant);

        [LoggerMessage(3134, LogLevel.Warning, "Took over {Tenant} without its session settings, which Grid does not accept: {Why}")]
        public static partial void SettingsNotKept(ILogger logger, string tenant, string why);
    }
}
