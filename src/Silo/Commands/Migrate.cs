using System.CommandLine;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;
using Grid.Storage;

namespace Grid.Silo.Commands;

/// <summary><c>grid migrate</c>.</summary>
internal static class Migrate
{
    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var script = new Option<bool>("--script") { Description = "Print the pending SQL instead of running it." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be applied." };
        var command = new Command("migrate", "Bring the database schema up to date.") { script, dryRun };
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((parse, _) => guarded(() => Task.FromResult(
            Run(Overrides.Of(parse), parse.GetValue(script), parse.GetValue(dryRun)))));
        return command;
    }

    private static int Run(string[] overrides, bool script, bool dryRun)
    {
        var settings = GridSettings.Read(Configuration.Build(overrides));
        var migrator = StoreMigrator.For(settings.Store);
        if (script)
        {
            Console.Out.Write(migrator.Script());
            return 0;
        }

        var status = migrator.Status();
        if (status.State == SchemaState.Newer)
        {
            throw StoreMigrator.Newer(status);
        }

        if (status.State == SchemaState.Ahead)
        {
            Console.Out.WriteLine($"schema {status.Applied}, of a later version; this version, which knows {status.Known}, works over it");
            return 0;
        }

        if (!dryRun)
        {
            migrator.Apply();
        }

        foreach (var pending in status.Pending)
        {
            Console.Out.WriteLine($"{(dryRun ? "pending" : "applied")} {pending}");
        }

        Console.Out.WriteLine(dryRun ? $"schema {status.Applied ?? "(empty)"}, newest {status.Known}" : $"schema {status.Known}");
        return 0;
    }
}
