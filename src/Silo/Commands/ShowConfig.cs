using System.CommandLine;
using System.Text.Json;
using Grid.Silo.Hosting;
using Grid.Silo.Settings;

namespace Grid.Silo.Commands;

/// <summary><c>grid config show</c>: effective values with their origin, secrets masked.</summary>
internal static class ShowConfig
{
    private static readonly HashSet<string> Secrets = new(StringComparer.OrdinalIgnoreCase)
    {
        $"{CoreApiOptions.Section}:{nameof(CoreApiOptions.ApiKeys)}",
        $"{StoreSettings.Section}:{nameof(StoreSettings.ConnectionString)}",
        $"{KeyOptions.Section}:{nameof(KeyOptions.EncryptionKey)}",
        $"{KeyOptions.Section}:{nameof(KeyOptions.PreviousEncryptionKey)}",
    };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var show = new Command("show", "Print effective settings and where each comes from.") { json };
        show.TreatUnmatchedTokensAsErrors = false;
        show.SetAction((parse, _) => guarded(() => Task.FromResult(Run([.. parse.UnmatchedTokens], parse.GetValue(json)))));
        return new Command("config", "Settings.") { show };
    }

    private static int Run(string[] overrides, bool asJson)
    {
        var environment = Configuration.Environment();
        var configuration = Configuration.Build(environment, overrides);
        var rows = GridSettings.KnownKeys().Select(key => Row(configuration, key)).ToList();
        if (asJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(rows.ToDictionary(r => r.Key, r => new { value = r.Value, origin = r.Origin }), Indented));
        }
        else
        {
            foreach (var (key, value, origin) in rows)
            {
                Console.Out.WriteLine($"{key,-44} {value,-28} {origin}");
            }
        }

        // Shown first, so that a value can be seen before it is refused.
        GridSettings.Read(configuration, environment);
        return 0;
    }

    private static (string Key, string Value, string Origin) Row(IConfigurationRoot configuration, string key)
    {
        foreach (var provider in configuration.Providers.Reverse())
        {
            if (provider.TryGet(key, out var value) && value is not null)
            {
                return (key, Secrets.Contains(key) ? "(set)" : value, provider.ToString()!);
            }
        }

        var section = GridSettings.Sections.Single(s => key.StartsWith(s.Key + ":", StringComparison.Ordinal));
        var standard = section.Value.GetProperty(key[(section.Key.Length + 1)..])!.GetValue(Activator.CreateInstance(section.Value));
        return (key, Convert.ToString(standard, System.Globalization.CultureInfo.InvariantCulture) ?? "", "default");
    }
}
