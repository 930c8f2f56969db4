using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Grains.Apps;
using Grid.Storage.Importing;
using Grid.Tokens.SigningKeys;
using Grid.WebFront.Upstream;

namespace Grid.Hosting.Importing;

/// <summary>Takes the original's keys in before the first request, and again and again for apps that came since.</summary>
internal sealed partial class OriginalKeys(
    OriginalSessions originals, IImportStore imports, IInstallationStore installation, KeyProtector protector, AppDefaults defaults, TimeProvider clock, ILogger<OriginalKeys> logger,
    UpstreamClient? upstream = null, UpstreamSettings? upstreamSettings = null)
    : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ForNewApps = TimeSpan.FromMinutes(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Log.On(logger, originals.Source.ToString());
        await TryAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(originals.Trouble is null ? ForNewApps : AfterFailure, clock, stoppingToken);
            await TryAsync(stoppingToken);
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        var before = originals.Trouble;
        try
        {
            await TakeInAsync(cancellationToken);
            if (before is not null)
            {
                Log.Back(logger, originals.Source.ToString());
            }
        }
        catch (Exception failure) when (failure is StoreUnavailableException or ImportSourceException)
        {
            if (before is null)
            {
                Log.Away(logger, failure.Message);
            }
        }
    }

    private async Task TakeInAsync(CancellationToken cancellationToken)
    {
        var record = await installation.ReadAsync(cancellationToken);
        if (record is null || protector.SealingWith(KeyProtector.KeyIdOf(record.Canary)) is not { } sealer)
        {
            return;
        }

        var found = await originals.AskAsync(database => database.ReadKeysAsync(cancellationToken));
        if (upstream is not null && await OriginalIdentity.WhyNotAsync(upstream, upstreamSettings!, domain: "", originals.Source, found, OriginalIdentity.Patience, cancellationToken) is { } why)
        {
            // Without the keys, tokens of its sessions are answered 503.
            throw new ImportSourceException($"{why} None of its keys is taken.", isAway: false);
        }

        var keys = found.ToLookup(key => new AppKey("", key.App));
        foreach (var app in StoredApps.Read(await installation.ReadAppsAsync(cancellationToken)).Keys.Where(keys.Contains))
        {
            var name = app.ToString();
            var settings = defaults.Settings;
            var now = clock.GetUtcNow();
            var terms = new ImportedKeyTerms(now, settings.AccessTokenValidity, settings.RefreshTokenValidity, now + settings.RefreshTokenValidity);
            var taken = await ImportedKeys.PrepareAsync(imports, name, keys[app], sealer, terms, cancellationToken);
            if (await ImportedKeys.StageAsync(imports, taken, cancellationToken) is > 0 and var count)
            {
                Log.Keys(logger, count, name);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1080, LogLevel.Information, "Sessions that Grid does not know are looked up in {Source} (Grid:Import:ReadThrough), which must not serve them any more")]
        public static partial void On(ILogger logger, string source);

        [LoggerMessage(1081, LogLevel.Information, "{Count} keys of app {App} came from the original's database")]
        public static partial void Keys(ILogger logger, int count, string app);

        [LoggerMessage(1082, LogLevel.Warning, "Sessions that Grid does not know are answered 503: {Why}")]
        public static partial void Away(ILogger logger, string why);

        [LoggerMessage(1083, LogLevel.Information, "{Source} answers again")]
        public static partial void Back(ILogger logger, string source);
    }
}
