using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Grid.Abstractions.Settings;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;

namespace Grid.Silo.Commands;

/// <summary><c>grid config show</c>: every effective value with its origin, secrets masked. <c>grid config table</c>: the page docs/settings.md.</summary>
internal static class ShowConfig
{
    private const string ByDefault = "default";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var show = new Command("show", "Print effective settings and where each comes from.") { json };
        show.TreatUnmatchedTokensAsErrors = false;
        show.SetAction((parse, _) => guarded(() => Task.FromResult(Run(Overrides.Of(parse), parse.GetValue(json)))));
        var table = new Command("table", "Print every setting that there is, as docs/settings.md has it.") { TreatUnmatchedTokensAsErrors = false };
        table.SetAction((parse, _) => guarded(() =>
        {
            Overrides.Of(parse);
            Console.Out.Write(SettingsPage.Write());
            return Task.FromResult(0);
        }));
        return new Command("config", "Settings.") { show, table };
    }

    private static int Run(string[] overrides, bool asJson)
    {
        var configuration = Configuration.Build(overrides);

        // Refused values are shown too, so that the operator can see what is wrong.
        var (settings, refusal) = TryRead(configuration);
        var rows = SettingTable.All.Where(setting => setting.Key is not null).Select(setting => Row(configuration, setting, settings)).ToList();
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

        // On standard error, so that piped output stays valid.
        foreach (var (key, nearest) in UnknownSettings.Find(configuration))
        {
            Console.Error.WriteLine($"grid: Setting {key} is not known and has no effect; did you mean {nearest}?");
        }

        foreach (var note in Configuration.Notes(configuration).Concat(settings is null ? [] : EncryptionKeyFile.OpenToOthers(settings)))
        {
            Console.Error.WriteLine($"grid: {note}");
        }

        return refusal is null ? 0 : throw refusal;
    }

    private static (GridSettings? Settings, SettingsException? Refusal) TryRead(IConfigurationRoot configuration)
    {
        try
        {
            return (GridSettings.Read(configuration), null);
        }
        catch (SettingsException refusal)
        {
            return (null, refusal);
        }
    }

    private static (string Key, string Value, string Origin) Row(IConfigurationRoot configuration, Setting setting, GridSettings? settings)
    {
        var key = setting.Key!;
        if (SettingsBinder.Find(configuration, setting) is var (text, source))
        {
            return (key, setting.IsSecret ? "(set)" : text, Origin(source, key));
        }

        if (key == "Grid:Store:ConnectionString" && SettingsBinder.FindNamedConnection(configuration) is not null)
        {
            return (key, "(set)", SettingsBinder.NamedConnection);
        }

        return (key, setting.Default ?? settings?.Derived(key) ?? $"({Plain(setting.DefaultNote)})", ByDefault);
    }

    private static string Origin(IConfigurationProvider source, string key) => source switch
    {
        SuperTokensEnvironment names => names.OriginOf(key),
        SecretFiles files => files.OriginOf(key),
        _ => Convert.ToString(source, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Plain(string? note) => (note ?? "none").Replace("`", "", StringComparison.Ordinal);
}
