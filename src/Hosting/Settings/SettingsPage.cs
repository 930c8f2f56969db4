using System.Globalization;
using System.Text;
using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>The page docs/settings.md, which a test compares with the table.</summary>
internal static class SettingsPage
{
    private const string Head = """
        # Settings

        Written by `grid config table` from the table that Grid itself reads (`src/Abstractions/Settings`); a test compares the two.

        Sources, weakest first: SuperTokens' environment variables, `appsettings.json` in the working directory, environment (`__` for `:`, as in
        `Grid__Front__ApiDomain`), command line (`--Grid:Core:Port=4000`). An empty value is as good as none: the next source holds, then the default. Any `Grid__…`
        variable, and any of SuperTokens', may end in `_FILE` to name a file with the value, for mounted secrets: it is as strong as the variable, which wins if both
        are set. A file for a secret with nothing in it is refused. `grid config show` prints every effective value with its origin, secrets masked.

        A setting that is taken is obeyed; one that cannot be is refused with the reason, and a variable of SuperTokens without effect is named at the start.
        A misspelt key is warned about with the nearest one; on the command line it is refused.

        - **Durations** have a unit (`500ms`, `30s`, `15m`, `1h`, `100d`) or the form `[d.]hh:mm:ss`. A bare number is refused.
        - **Level**: down to where a setting may differ. *base*: one value for the installation. *app*: each app may have its own, by its `coreConfig`
          (`PUT /recipe/multitenancy/app/v2`), and its tenants share it. *tenant*: each tenant may have its own. What an app does not set it has from its
          connection URI domain, then from the installation; what a tenant does not set, from its app.
        - **SuperTokens**: the environment variable, and the name in core config, whose numbers have the unit that is named. Strings such as `"60"` are converted there.


        """;

    public static string Write()
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var section in SettingTable.All.Where(row => row.Key is not null).GroupBy(row => row.Section))
        {
            page.Append(CultureInfo.InvariantCulture, $"## {section.Key}\n\n| Setting | Default | Range | Level | SuperTokens | Meaning |\n|---|---|---|---|---|---|\n");
            foreach (var row in section)
            {
                page.Append(CultureInfo.InvariantCulture, $"| `{row.Key}` | {(row.Default is null ? row.DefaultNote : $"`{row.Default}`")} | {row.Range} | {Level(row)} | {Names(row)} | {row.Description} |\n");
            }

            page.Append('\n');
        }

        page.Append("## PostgreSQL in parts, as SuperTokens has it\n\nUsed together with `POSTGRESQL_CONNECTION_URI`, over whose parts they win, or with `POSTGRESQL_USER`. None can be in the core config of an app or tenant.\n\n| Variable | Meaning |\n|---|---|\n");
        foreach (var row in SettingTable.All.Where(row => row.IsPart))
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{row.Variable}` | {row.Description} |\n");
        }

        page.Append('\n');
        page.Append("## Of SuperTokens, without effect here\n\nKnown, so that configurations can be shared. As variables they are named at the start. In the core config of apps and tenants those of level *app* and *tenant* are kept and shown; the others are refused.\n\n| Variable | Core config | Level | Meaning |\n|---|---|---|---|\n");
        foreach (var row in SettingTable.All.Where(row => row.Key is null && !row.IsPart))
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{row.Variable}` | `{row.CoreConfigKey}` | {Level(row)} | {row.Description} |\n");
        }

        return page.ToString();
    }

    private static string Level(Setting row) => row.Level switch
    {
        SettingLevel.Base => "base",
        SettingLevel.App => "app",
        SettingLevel.Tenant => "tenant",
        _ => throw new InvalidOperationException($"Unknown level {row.Level}."),
    };

    private static string Names(Setting row) => string.Join(", ", new[] { row.Variable, row.CoreConfigKey }.OfType<string>().Select(name => $"`{name}`"));
}
