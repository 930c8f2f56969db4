using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Grains.Apps;
using Grid.Hosting.Importing;
using Grid.Hosting.Settings;
using Grid.Storage;
using Grid.Storage.Importing;
using Grid.Tokens.SigningKeys;
using Grid.WebFront.Upstream;

namespace Grid.Silo.Commands;

/// <summary>One run of <c>grid import supertokens</c>: what is there, then the keys, then the sessions, batch by batch.</summary>
/// <remarks>Every batch is one transaction with how far it came: whoever ends it in the middle runs it again.</remarks>
internal sealed class ImportRun(GridSettings settings, IServiceProvider services, SuperTokensSource named, bool dryRun, bool skipsUnknown, int batchSize)
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(2);

    private readonly IImportStore _imports = services.GetRequiredService<IImportStore>();
    private readonly IInstallationStore _installation = services.GetRequiredService<IInstallationStore>();
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly Dictionary<string, int> _refusals = new(StringComparer.Ordinal);

    private SuperTokensSource _source = named;

    private static TextWriter Out => Console.Out;

    public async Task<int> WorkAsync(CancellationToken stop)
    {
        try
        {
            await using var original = await SuperTokensDatabase.OpenAsync(_source, maxConnections: 2, stop);
            await Out.WriteLineAsync($"{_source}: {original.Generation}");
            var tenants = await original.CountAsync(_clock.GetUtcNow(), stop);
            var known = StoredApps.Read(await _installation.ReadAppsAsync(stop));
            _source = _source with
            {
                Domain = _source.Domain.Length == 0 ? "" : ConnectionUriDomain.Find(known.Keys.Select(app => app.Domain), _source.Domain)
                    ?? throw new SettingsException($"Grid has no connection-URI domain {_source.Domain}, which --domain names: make it first (PUT /recipe/multitenancy/connectionuridomain/v2)."),
            };

            await DescribeElsewhereAsync(original, stop);
            Describe(tenants, known);
            await ImportKeysAsync(original, tenants, known, stop);
            return dryRun ? await DescribeSessionsAsync(original, known, stop) : await ImportSessionsAsync(original, tenants, known, stop);
        }
        catch (ImportSourceException failure)
        {
            throw failure.IsAway ? new StoreStartException($"{failure.Message} Run it again: completed steps are kept.", failure) : new SettingsException(failure.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("grid: interrupted. Run it again: it goes on where it stopped.");
            return 1;
        }
    }

    private AppKey App(string app) => new(_source.Domain, app);

    private bool Has(IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known, string app, string tenant) =>
        known.TryGetValue(App(app), out var tenants) && tenants.Contains(tenant);

    private void Describe(IReadOnlyList<SuperTokensTenant> tenants, IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known)
    {
        foreach (var tenant in tenants)
        {
            Out.WriteLine($"app {tenant.App}, tenant {tenant.Tenant}: {tenant.Sessions - tenant.Expired} sessions, and {tenant.Expired} that have expired");
        }

        var unknown = tenants.Where(tenant => tenant.Sessions > tenant.Expired && !Has(known, tenant.App, tenant.Tenant)).ToList();
        foreach (var tenant in unknown)
        {
            Out.WriteLine($"Grid has no app {tenant.App} with a tenant {tenant.Tenant}: {tenant.Sessions - tenant.Expired} sessions {(dryRun || skipsUnknown ? "would be left out" : "have nowhere to go")}");
        }

        if (unknown.Count > 0 && !skipsUnknown && !dryRun)
        {
            throw new SettingsException(
                "Refused, nothing was imported: make the apps and tenants above first (PUT /recipe/multitenancy/app/v2, then PUT /appid-<app>/recipe/multitenancy/tenant/v2), or leave their sessions out by --skip-unknown.");
        }
    }

    // What is in other databases nobody would miss before its users are signed out.
    private static async Task DescribeElsewhereAsync(SuperTokensDatabase original, CancellationToken stop)
    {
        try
        {
            foreach (var app in (await original.FindElsewhereAsync(stop)).GroupBy(tenant => (tenant.Domain, tenant.App)))
            {
                var (domain, id) = app.Key;
                await Out.WriteLineAsync(
                    $"not in this database: app {id}{(domain.Length > 0 ? $" of the connection-URI domain {domain}" : "")}, tenants {string.Join(", ", app.Select(tenant => tenant.Tenant))}. "
                    + $"Import the database that the core has for them by --from=…{(domain.Length > 0 ? $" --domain={domain}" : "")}, or their users sign in again");
            }
        }
        catch (ImportSourceException failure) when (!failure.IsAway)
        {
            await Out.WriteLineAsync($"whether the original keeps tenants in other databases was not found out: {failure.Message}");
        }
    }

    private async Task ImportKeysAsync(
        SuperTokensDatabase original, IReadOnlyList<SuperTokensTenant> tenants, IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known, CancellationToken stop)
    {
        var found = await original.ReadKeysAsync(stop);
        if (settings.Upstream is { } upstream)
        {
            using var client = new UpstreamClient(upstream);
            if (await OriginalIdentity.WhyNotAsync(client, upstream, _source.Domain, _source, found, patience: null, stop) is { } why)
            {
                throw new SettingsException($"Refused, nothing was imported: {why}");
            }
        }

        var keys = found.Where(key => known.ContainsKey(App(key.App))).ToLookup(key => key.App, StringComparer.Ordinal);
        var apps = tenants.Where(tenant => Has(known, tenant.App, tenant.Tenant)).Select(tenant => tenant.App).Union(keys.Select(group => group.Key)).ToList();
        for (var sealer = await SealerAsync(stop); ;)
        {
            foreach (var app in apps)
            {
                await ImportKeysAsync(App(app).ToString(), keys[app], tenants.Where(tenant => tenant.App == app), sealer, stop);
            }

            // If the key-encryption key was changed meanwhile, its verb may have been done before these were laid ready.
            if (await SealerAsync(stop) is var now && now.KeyId == sealer.KeyId)
            {
                return;
            }

            sealer = now;
        }
    }

    private async Task ImportKeysAsync(string app, IEnumerable<SuperTokensKey> keys, IEnumerable<SuperTokensTenant> tenants, KeyProtector sealer, CancellationToken stop)
    {
        var last = tenants.Select(tenant => tenant.LastExpiry).DefaultIfEmpty(_clock.GetUtcNow()).Max();
        var terms = new ImportedKeyTerms(_clock.GetUtcNow(), settings.Defaults.Settings.AccessTokenValidity, settings.Defaults.Settings.RefreshTokenValidity, last);
        var prepared = await ImportedKeys.PrepareAsync(_imports, app, keys, sealer, terms, stop);
        if (!keys.Any(key => key.Kind == SuperTokensKeyKind.Refresh) && !prepared.Known.Any(kid => kid.StartsWith("r-", StringComparison.Ordinal)))
        {
            throw new SettingsException(
                $"The original's database has sessions of app {app}, but no key of its refresh tokens (key_value, 'refresh_token_key', tenant public): it is in the database of the app's public tenant. Import that one first.");
        }

        var count = dryRun ? prepared.Sealed.Count : await ImportedKeys.StageAsync(_imports, prepared, stop);
        await Out.WriteLineAsync($"app {app}: {count} keys {(dryRun ? "would be imported" : "imported")} ({string.Join(", ", prepared.Sealed.Select(key => key.Kid))}), {prepared.Known.Count} were there");
    }

    private async Task<KeyProtector> SealerAsync(CancellationToken stop)
    {
        var record = await _installation.ReadAsync(stop) ?? throw new SettingsException("This database has no key yet: start Grid on it once.");
        var (protector, origin) = EncryptionKeyFile.Load(settings, isNew: false);
        var current = KeyProtector.KeyIdOf(record.Canary);
        return (protector.OpensCanary(record.Canary) ? protector.SealingWith(current) : null)
            ?? throw new SettingsException($"The database's key-encryption key has the id {current}, and {origin} is not it (ids {string.Join(", ", protector.KeyIds)}): what it sealed, no silo would open.");
    }

    private async Task<int> DescribeSessionsAsync(SuperTokensDatabase original, IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known, CancellationToken stop)
    {
        var (fresh, there) = (0, 0);
        var batch = new List<SessionRecord>(batchSize);
        await foreach (var session in original.ReadSessionsAsync(_clock.GetUtcNow(), bound: null, isBehind: true, stop))
        {
            if (Accept(session, known) is { } record)
            {
                batch.Add(record);
            }

            if (batch.Count == batchSize)
            {
                await CountAsync();
            }
        }

        await CountAsync();
        await Out.WriteLineAsync($"{fresh} sessions would be imported, {there} came before");
        return Summarize();

        async Task CountAsync()
        {
            var found = (await _imports.FindKnownAsync([.. batch.Select(record => record.Key)], stop)).Count;
            (fresh, there) = (fresh + batch.Count - found, there + found);
            batch.Clear();
        }
    }

    private async Task<int> ImportSessionsAsync(
        SuperTokensDatabase original, IReadOnlyList<SuperTokensTenant> tenants, IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known, CancellationToken stop)
    {
        var progress = await _imports.ReadProgressAsync(_source.Name, stop);
        (string, string, string)? stopped = progress is { IsComplete: false } ? (progress.App, progress.Tenant, progress.Handle) : null;
        if (stopped is not null)
        {
            await Out.WriteLineAsync($"goes on behind session {progress!.Handle}, where the last import stopped, and then through those up to it once more");
        }

        var expected = tenants.Sum(tenant => tenant.Sessions - tenant.Expired);
        var (read, total, started) = (0L, default(ImportedSessions), _clock.GetTimestamp());
        var reported = started;
        var batch = new List<SessionRecord>(batchSize);
        SuperTokensSession? last = null;
        await PassAsync(isBehind: true);
        if (stopped is not null)
        {
            // The original may have served since the import that was interrupted: what it made or rotated has handles in no order.
            await PassAsync(isBehind: false);
        }

        await FlushAsync(isComplete: true);
        await Out.WriteLineAsync($"{total.Added} sessions imported, {total.Renewed} renewed, {total.Unchanged} came before, {total.Refused} refused because all sessions of their user, tenant or app ended here; {Rate()}");
        return Summarize();

        async Task PassAsync(bool isBehind)
        {
            await foreach (var session in original.ReadSessionsAsync(_clock.GetUtcNow(), stopped, isBehind, stop))
            {
                (last, read) = (isBehind ? session : last, read + 1);
                if (Accept(session, known) is { } record)
                {
                    batch.Add(record);
                }

                if (batch.Count == batchSize)
                {
                    await FlushAsync(isComplete: false);
                }

                if (_clock.GetElapsedTime(reported) >= ReportEvery)
                {
                    reported = _clock.GetTimestamp();
                    await Out.WriteLineAsync($"{read} of {expected} sessions, {Rate()}");
                }
            }
        }

        async Task FlushAsync(bool isComplete)
        {
            var reached = new ImportProgress(_source.Name, last?.App ?? "", last?.Tenant ?? "", last?.Handle ?? "", isComplete);

            // Not given up half-way: what is written is as the next run finds it.
            total += await _imports.AddAsync(batch, reached, CancellationToken.None);
            batch.Clear();
            stop.ThrowIfCancellationRequested();
        }

        string Rate()
        {
            var elapsed = _clock.GetElapsedTime(started);
            return $"{elapsed.TotalSeconds:0.0} s, {read / Math.Max(elapsed.TotalSeconds, 0.001):0} a second";
        }
    }

    private SessionRecord? Accept(SuperTokensSession session, IReadOnlyDictionary<AppKey, IReadOnlySet<string>> known)
    {
        if (!Has(known, session.App, session.Tenant))
        {
            Refuse("Grid does not have its app or tenant");
            return null;
        }

        if (!(session with { Domain = _source.Domain }).TryConvert(out var record, out var why))
        {
            Refuse(why);
            return null;
        }

        return record;
    }

    private void Refuse(string why) => _refusals[why] = _refusals.GetValueOrDefault(why) + 1;

    private int Summarize()
    {
        foreach (var (why, count) in _refusals)
        {
            Out.WriteLine($"{count} sessions left out, each because {why}");
        }

        Out.WriteLine(dryRun ? "nothing was written" : "done. Silos that are running know the keys within a minute. The original must not serve sessions from now on (docs/supertokens.md)");
        return 0;
    }
}
