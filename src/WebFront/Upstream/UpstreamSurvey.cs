using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Upstream;

/// <summary>
/// Takes over what first sight cannot find: domains of the core behind Grid, which look like any other name in a <c>Host</c> header, and apps
/// with API keys of their own, which Grid would have to know to let anybody in. That core lists both. Safe for any number of threads.
/// </summary>
/// <remarks>Looks at this process's first request, again until it has taken over all, and at most once a minute when somebody comes with a key for an app that Grid does not know.</remarks>
internal sealed partial class UpstreamSurvey(
    UpstreamClient client, UpstreamPulse pulse, UpstreamTenants tenants, IAppDirectory apps, TimeProvider clock, ILogger<UpstreamSurvey> logger)
{
    /// <summary>How long nobody is looked for again.</summary>
    public static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>How long it takes until the first look is repeated if it failed.</summary>
    public static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);

    // Some thousand tenants with their settings.
    private const int MaxList = 32 * 1024 * 1024;

    // Sessions go on without that core: who asks first waits no longer than this.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // A change is heard of by every silo within a second.
    private static readonly TimeSpan HeardWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookUpAgain = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private Task? _looking;
    private long _beganAt;
    private volatile bool _isDone;
    private volatile bool _isListed;
    private volatile bool _hasTried;

    /// <summary>What has to be waited for before the name in a request says whose it is; null if nothing has.</summary>
    public Task? FirstLook()
    {
        if (_isDone)
        {
            return null;
        }

        var looking = Begin(_isListed ? AgainAfter : PauseAfterFailure);
        return _hasTried || looking.IsCompleted ? null : Task.WhenAny(looking, Task.Delay(Wait, clock));
    }

    /// <summary>Looks once more, unless it was only just done. Never waits.</summary>
    public void LookAgain() => Begin(AgainAfter);

    private Task Begin(TimeSpan pause)
    {
        lock (_lock)
        {
            if (_looking is null || (_looking.IsCompleted && clock.GetElapsedTime(_beganAt) >= pause))
            {
                (_looking, _beganAt) = (LookAsync(), clock.GetTimestamp());
            }

            return _looking;
        }
    }

    private async Task LookAsync()
    {
        try
        {
            if (pulse.Common is null)
            {
                await pulse.AskAsync("/apiversion", host: null, CancellationToken.None);
            }

            var answer = await client.AskAsync(
                "GET", "/recipe/multitenancy/connectionuridomain/list", pulse.Version, host: null, body: null, Patience, CancellationToken.None, MaxList);
            if (answer.Trouble == UpstreamTrouble.Odd)
            {
                Tell("its list", "it is larger than 32 MB, or none");
            }
            else if (answer.Trouble != UpstreamTrouble.None || answer.Status >= 500)
            {
                return;
            }

            // One that has no such list has neither.
            var areAll = true;
            foreach (var domain in (answer.Json()?["connectionUriDomains"] as JsonArray ?? []).OfType<JsonObject>())
            {
                areAll &= await TakeOverAsync(domain);
            }

            // A domain that is not taken over is answered for by the default one: it is tried again.
            (_isListed, _isDone) = (true, _isDone || areAll);
        }
        finally
        {
            _hasTried = true;
        }
    }

    private async Task<bool> TakeOverAsync(JsonObject listed)
    {
        var written = UpstreamAnswer.Text(listed["connectionUriDomain"]) ?? "";
        if ((written.Length == 0 ? "" : ConnectionUriDomain.TryNormalize(written)) is not { } domain)
        {
            return true;
        }

        var areAll = domain.Length == 0 || await TakeOverAsync(new AppKey(domain, AppKey.PublicId));

        foreach (var app in (listed["apps"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (UpstreamAnswer.Text(app["appId"]) is { } appId && appId != AppKey.PublicId && Core.CorePath.CouldExist(appId) && HasKeys(app))
            {
                areAll &= await TakeOverAsync(new AppKey(domain, appId));
            }
        }

        return areAll;
    }

    private static bool HasKeys(JsonObject app) => (app["tenants"] as JsonArray ?? []).OfType<JsonObject>()
        .Any(tenant => UpstreamAnswer.Text(tenant["tenantId"]) == TenantKey.PublicId && UpstreamAnswer.Text((tenant["coreConfig"] as JsonObject)?[SettingTable.ApiKeys]) is { Length: > 0 });

    /// <returns>False if whether there is such an app, or what is to be kept of it, did not come about.</returns>
    private async Task<bool> TakeOverAsync(AppKey app)
    {
        try
        {
            if (await tenants.TakeOverAsync(new TenantKey(app, TenantKey.PublicId)))
            {
                for (var began = clock.GetTimestamp(); await apps.FindAsync(app, CancellationToken.None) is null && clock.GetElapsedTime(began) < HeardWithin;)
                {
                    await Task.Delay(LookUpAgain, clock);
                }
            }

            return true;
        }
        catch (StoreUnavailableException failure)
        {
            Tell(app.ToString(), failure.Message);
            return false;
        }
    }

    private void Tell(string what, string why)
    {
        if (_told.Add(what))
        {
            Log.NotTakenOver(logger, what, why);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3135, LogLevel.Warning, "Could not take over {What} of the core behind Grid: {Why}")]
        public static partial void NotTakenOver(ILogger logger, string what, string why);
    }
}
