using System.CommandLine;
using Grid.Hosting.Settings;
using Grid.Storage.Importing;

namespace Grid.Silo.Commands;

/// <summary><c>grid import supertokens</c>: keys and sessions of a SuperTokens core's PostgreSQL database, so that what it issued goes on working here.</summary>
/// <remarks>May run beside silos over PostgreSQL.</remarks>
internal static class Import
{
    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var from = new Option<string>("--from") { Description = "The core's database, postgresql://user:password@host:5432/database; by default Grid:Import:ReadThrough." };
        var fromFile = new Option<string>("--from-file") { Description = "A file with that URI, which keeps the password out of the list of processes." };
        var schema = new Option<string>("--schema") { Description = "The core's postgresql_table_schema; by default Grid:Import:Schema." };
        var prefix = new Option<string>("--prefix") { Description = "The core's postgresql_table_names_prefix; by default Grid:Import:Prefix." };
        var domain = new Option<string>("--domain") { Description = "The connection-URI domain whose database it is: its apps come under that domain. By default those of no domain." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be imported and what would be refused." };
        var skip = new Option<bool>("--skip-unknown") { Description = "Leave out sessions of apps and tenants that Grid does not have, instead of refusing to begin." };
        var batch = new Option<int>("--batch") { Description = "Sessions in a transaction.", DefaultValueFactory = _ => 1000 };
        var superTokens = new Command("supertokens", "Import the keys and sessions of a SuperTokens core, so that nobody signs in again. Can be repeated and resumed.") { from, fromFile, schema, prefix, domain, dryRun, skip, batch };
        superTokens.TreatUnmatchedTokensAsErrors = false;
        superTokens.SetAction((parse, stop) => guarded(() => StoreVerb.RunAsync(Overrides.Of(parse), (settings, services) =>
        {
            var size = parse.GetValue(batch);
            if (size is < 1 or > 10_000)
            {
                throw new SettingsException("--batch is 1 to 10000.");
            }

            var uri = ConnectionUri.Parse(ReadUri(parse.GetValue(from), parse.GetValue(fromFile), settings), "--from");
            var source = new SuperTokensSource(uri.ToString(), parse.GetValue(schema) ?? settings.Import.Schema, parse.GetValue(prefix) ?? settings.Import.Prefix, parse.GetValue(domain) ?? "");
            return new ImportRun(settings, services, source, parse.GetValue(dryRun), parse.GetValue(skip), size).WorkAsync(stop);
        })));
        return new Command("import", "Take over sessions from elsewhere.") { superTokens };
    }

    private static string ReadUri(string? uri, string? file, GridSettings settings)
    {
        if (uri is null && file is null && settings.Import.ReadThrough is { Length: > 0 } set)
        {
            return set;
        }

        if (uri is null == file is null)
        {
            throw new SettingsException("Name the core's database by --from=postgresql://…, by --from-file=…, a file with that URI, or by Grid:Import:ReadThrough.");
        }

        try
        {
            return uri ?? File.ReadAllText(file!).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"--from-file cannot be read: {failure.Message}");
        }
    }
}
