using System.CommandLine;
using Grid.Abstractions.Settings;
using Grid.Hosting.Settings;

namespace Grid.Silo.Commands;

/// <summary>Settings after a verb, <c>--Grid:Section:Key=value</c>, which override every other source. Anything else is refused, with the closest known name.</summary>
internal static class Overrides
{
    /// <exception cref="SettingsException">A word is not a setting.</exception>
    public static string[] Of(ParseResult parse)
    {
        var words = parse.UnmatchedTokens;
        for (var i = 0; i < words.Count; i++)
        {
            var name = words[i].TrimStart('-', '/');
            var equals = name.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? name : name[..equals];
            if (equals < 0 && !words[i].StartsWith('-') && !words[i].StartsWith('/'))
            {
                throw Unknown(parse, words[i]);
            }

            if (!UnknownSettings.IsKnown(key) && !key.Equals(SettingsBinder.NamedConnection, StringComparison.OrdinalIgnoreCase))
            {
                throw new SettingsException($"{words[i].Split('=')[0]} is not known; did you mean {Nearest(parse, key)}?");
            }

            // --Grid:Core:Port 4000
            if (equals < 0 && (++i == words.Count || words[i].StartsWith("--", StringComparison.Ordinal)))
            {
                throw new SettingsException($"--{key} lacks its value: write --{key}=….");
            }
        }

        return [.. words];
    }

    /// <summary>For a command that only has subcommands.</summary>
    public static SettingsException Unknown(ParseResult parse, string? word)
    {
        var command = parse.CommandResult.Command;
        var verbs = command.Subcommands.Select(verb => verb.Name).ToList();
        var inside = command is RootCommand ? "" : command.Name + " ";
        return new SettingsException(
            word is null ? $"'{inside.TrimEnd()}' lacks its verb: {string.Join(", ", verbs.Select(verb => inside + verb))}."
            : verbs.Count == 0 ? $"'{word}' means nothing to '{command.Name}'; settings are written --Grid:Section:Key=value, and 'grid {command.Name} --help' names the rest."
            : $"'{inside}{word}' is no verb; did you mean '{inside}{NearestName.Of(word, verbs)}'? There are: {string.Join(", ", verbs)}.");
    }

    // SuperTokens' own names lead to Grid's: --port, --host.
    private static string Nearest(ParseResult parse, string key)
    {
        var name = key.Replace('-', '_');
        var known = SettingTable.All.Where(row => row.Key is not null).FirstOrDefault(
            row => name.Equals(row.CoreConfigKey, StringComparison.OrdinalIgnoreCase) || name.Equals(row.Variable, StringComparison.OrdinalIgnoreCase));
        var options = parse.CommandResult.Command.Options.Select(option => option.Name.TrimStart('-'));
        return "--" + (known?.Key ?? NearestName.Of(key, options.Concat(SettingTable.All.Select(row => row.Key).OfType<string>())));
    }
}
