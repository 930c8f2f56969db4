using System.CommandLine;
using Grid.Abstractions.Installation;
using Grid.Hosting.Settings;
using Grid.Silo.Installation;

namespace Grid.Silo.Commands;

/// <summary><c>grid cluster rename --to ID</c>: the database's cluster gets another <c>Grid:Cluster:Id</c>.</summary>
internal static class RenameCluster
{
    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var to = new Option<string>("--to") { Description = "The new Grid:Cluster:Id.", Required = true };
        var rename = new Command("rename", "Give the database's cluster another id. Refused while a silo is alive.") { to };
        rename.TreatUnmatchedTokensAsErrors = false;
        rename.SetAction((parse, _) => guarded(() => StoreVerb.RunAsync(
            Overrides.Of(parse), (settings, services) => RunAsync(settings, services, parse.GetValue(to)!))));
        return new Command("cluster", "The cluster as a whole.") { rename };
    }

    private static async Task<int> RunAsync(GridSettings settings, IServiceProvider services, string id)
    {
        if (id.Length == 0 || id.Length > ClusterOptions.MaxIdLength)
        {
            throw new SettingsException($"--to must have 1 to {ClusterOptions.MaxIdLength} characters.");
        }

        var store = services.GetRequiredService<IInstallationStore>();
        var record = await store.ReadAsync(CancellationToken.None) ?? throw new SettingsException("This database has no cluster yet: its first start gives it Grid:Cluster:Id.");
        if (record.ClusterId == id)
        {
            Console.Out.WriteLine($"the cluster is called '{id}'");
            return 0;
        }

        await LiveSilos.RefuseBesideAsync(
            settings, services, $"are at work as '{record.ClusterId}'. Stop every silo first: silos of two ids would be two clusters over one database.");
        await store.RenameClusterAsync(id, CancellationToken.None);
        Console.Out.WriteLine($"the cluster '{record.ClusterId}' is called '{id}' from now on: set Grid:Cluster:Id to it everywhere");
        return 0;
    }
}
