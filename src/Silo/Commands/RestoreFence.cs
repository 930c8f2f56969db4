using System.CommandLine;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Installation;
using Grid.Abstractions.Sessions;
using Grid.Grains.Apps;
using Grid.Hosting.Settings;
using Grid.Silo.Installation;

namespace Grid.Silo.Commands;

/// <summary><c>grid restore-fence</c>: a store that was restored from a backup gives no session back that was revoked since.</summary>
/// <remarks>Which ones were revoked, the backup can't know: every session and ticket in it ends, by one entry of the log for each app.</remarks>
internal static class RestoreFence
{
    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say which apps' sessions would end." };
        var fence = new Command("restore-fence", "After a restore: end every session that the backup holds, since it may have been revoked after it. Refused while a silo is alive.") { dryRun };
        fence.TreatUnmatchedTokensAsErrors = false;
        fence.SetAction((parse, _) => guarded(() => StoreVerb.RunAsync(
            Overrides.Of(parse), (settings, services) => RunAsync(settings, services, parse.GetValue(dryRun)))));
        return fence;
    }

    private static async Task<int> RunAsync(GridSettings settings, IServiceProvider services, bool dryRun)
    {
        var store = services.GetRequiredService<ISessionStore>();

        // Also those without sessions: what was imported into them after the backup, and has ended since, could come again.
        var made = StoredApps.Read(await services.GetRequiredService<IInstallationStore>().ReadAppsAsync(CancellationToken.None)).Keys;
        List<AppKey> apps = [.. (await store.ListAppsAsync(CancellationToken.None)).Union(made).OrderBy(app => app.ToString(), StringComparer.Ordinal)];
        if (dryRun)
        {
            // There is always the public one.
            Console.Out.WriteLine($"every session and ticket of {(apps.Count == 1 ? "one app" : $"{apps.Count} apps")} would end: {string.Join(", ", apps)}");
            return 0;
        }

        // A running silo would continue with what it remembers, and this verb does not wait for its confirmation.
        await LiveSilos.RefuseBesideAsync(settings, services, "are at work. Stop every silo first, then fence, then start them.");
        foreach (var app in apps)
        {
            await store.RevokeAsync(new RevocationScope.WholeApp { App = app }, RevocationReason.BackupRestored, TimeProvider.System.GetUtcNow(), CancellationToken.None);
            Console.Out.WriteLine($"{app}: every session and ticket ended");
        }

        Console.Out.WriteLine("fenced. Revoke again what the backup has forgotten besides: API keys, signing keys, apps and tenants that were withdrawn or removed since (docs/operations.md)");
        return 0;
    }
}
