using System.Globalization;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>Reads configuration by the rows of <see cref="SettingTable"/>.</summary>
internal static class SettingsBinder
{
    /// <summary>Where .NET programs have a connection string.</summary>
    public const string NamedConnection = "ConnectionStrings:Grid";

    /// <summary>The options of a section.</summary>
    /// <exception cref="SettingsException">A value is wrong.</exception>
    public static T Bind<T>(IConfigurationRoot configuration, string section)
        where T : class, new()
    {
        var options = new T();
        foreach (var setting in SettingTable.All.Where(row => row.Section == section && SettingBinding.Property(typeof(T), row) is not null))
        {
            if (Read(configuration, setting) is { } value)
            {
                SettingBinding.Set(options, setting, value);
            }
        }

        return options;
    }

    /// <summary>What apps have that set nothing.</summary>
    /// <exception cref="SettingsException">A value is wrong, or two do not fit each other.</exception>
    public static AppDefaults BindDefaults(IConfigurationRoot configuration)
    {
        var defaults = SettingTable.OfApps.Aggregate(
            new AppDefaults(), (all, setting) => (Read(configuration, setting) ?? setting.DefaultValue) is { } value ? setting.Write!(all, value) : all);
        if (defaults.Settings.RefreshTokenValidity <= defaults.Settings.AccessTokenValidity)
        {
            throw new SettingsException(
                $"{SettingTable.FindCoreConfig("refresh_token_validity")!.AllNames} must be longer than {SettingTable.FindCoreConfig("access_token_validity")!.AllNames}.");
        }

        if (defaults is { MinCdiVersion: { } min, MaxCdiVersion: { } max } && CdiVersions.IsOlder(max, min))
        {
            throw new SettingsException($"Grid:Core:MinCdiVersion {min} is newer than Grid:Core:MaxCdiVersion {max}: no version would be left.");
        }

        return defaults;
    }

    /// <summary>A setting's text; lists of a JSON file become comma-separated. Empty if every source that names it leaves it empty, null if none does.</summary>
    public static string? Text(IConfigurationRoot configuration, Setting setting) => Find(configuration, setting) is var (text, _) ? text
        : configuration.Providers.Any(source => source.TryGet(setting.Key!, out var empty) && empty is not null) ? ""
        : null;

    /// <summary>What the strongest source says that says something. Empty is unset, as in the environment of containers: the next one holds.</summary>
    public static (string Text, IConfigurationProvider Source)? Find(IConfigurationRoot configuration, Setting setting)
    {
        foreach (var source in configuration.Providers.Reverse())
        {
            if (source.TryGet(setting.Key!, out var text) && !IsUnset(setting, text))
            {
                return (text!, source);
            }

            if (setting.Type == SettingType.Text && Places(source, setting).Any(place => source.TryGet(place, out var item) && !IsUnset(setting, item)))
            {
                return (Join(configuration, setting), source);
            }
        }

        return null;
    }

    /// <summary>What a text is put together from, in order: one part, or the items of a list. None if nothing says it.</summary>
    public static IReadOnlyList<SettingPart> PartsOf(IConfigurationRoot configuration, Setting setting) => Find(configuration, setting) switch
    {
        null => [],
        var (_, source) when source.TryGet(setting.Key!, out var text) && !IsUnset(setting, text) => [PartOf(source, setting.Key!)],
        _ => [.. PlacesOf(configuration, setting)
            .Select(place => (Place: place, Source: configuration.Providers.Reverse().FirstOrDefault(source => source.TryGet(place, out var item) && !string.IsNullOrEmpty(item))))
            .Where(item => item.Source is not null).Select(item => PartOf(item.Source!, item.Place))],
    };

    /// <summary>Files that variables name for a setting, whether or not anything stronger, or their being empty, makes them have no effect.</summary>
    public static IEnumerable<NamedFile> FilesFor(IConfigurationRoot configuration, Setting setting) =>
        configuration.Providers.SelectMany(source => PlacesOf(configuration, setting).Prepend(setting.Key!).Select(place => FileOf(source, place))).OfType<NamedFile>();

    /// <summary>Refuses a file for a secret that has nothing in it: taken as unset, Grid would start over another database, or without the key. For API keys see <see cref="ApiKeyFiles"/>.</summary>
    /// <exception cref="SettingsException">One is empty, or cannot be read.</exception>
    public static void RefuseEmptySecrets(IConfigurationRoot configuration)
    {
        var files = SettingTable.All.Where(setting => setting is { IsSecret: true, Key: not null } && setting.CoreConfigKey != SettingTable.ApiKeys)
            .SelectMany(setting => FilesFor(configuration, setting))
            .Concat(configuration.Providers.Select(source => FileOf(source, NamedConnection)).OfType<NamedFile>());
        if (files.FirstOrDefault(file => file.Read().Length == 0) is { } empty)
        {
            throw new SettingsException($"{empty.Variable} names a file with nothing in it, {empty.Path}: write the value into it, or remove the variable.");
        }
    }

    /// <summary>The store's connection string by the name that .NET programs have for one; null if there is none.</summary>
    public static string? FindNamedConnection(IConfigurationRoot configuration) => Strongest(configuration, NamedConnection);

    // Sources put their items together by number, as everywhere in .NET.
    private static string Join(IConfigurationRoot configuration, Setting setting) =>
        string.Join(',', PlacesOf(configuration, setting).Select(place => Strongest(configuration, place)).OfType<string>());

    private static IEnumerable<string> PlacesOf(IConfigurationRoot configuration, Setting setting) =>
        configuration.Providers.SelectMany(source => Places(source, setting)).Distinct(StringComparer.OrdinalIgnoreCase)
            .OrderBy(place => int.Parse(place.AsSpan(setting.Key!.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture));

    private static SettingPart PartOf(IConfigurationProvider source, string key) => new(source.TryGet(key, out var text) ? text! : "", FileOf(source, key));

    private static NamedFile? FileOf(IConfigurationProvider source, string key) => source switch
    {
        SecretFiles files => files.FileOf(key),
        SuperTokensEnvironment variables => variables.FileOf(key),
        _ => null,
    };

    private static string? Strongest(IConfigurationRoot configuration, string key) => configuration.Providers.Reverse()
        .Select(source => source.TryGet(key, out var text) ? text : null).FirstOrDefault(text => !string.IsNullOrEmpty(text));

    // Only numbers: what ends in _FILE names a file, and is no item.
    private static IEnumerable<string> Places(IConfigurationProvider source, Setting setting) => source.GetChildKeys([], setting.Key)
        .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(name => $"{setting.Key}:{name}");

    // A rule of blanks is none.
    private static bool IsUnset(Setting setting, string? text) =>
        text is null || (!setting.MayBeEmpty && (text.Length == 0 || (setting.Level == SettingLevel.Tenant && string.IsNullOrWhiteSpace(text))));

    private static object? Read(IConfigurationRoot configuration, Setting setting)
    {
        if (Text(configuration, setting) is not { } text)
        {
            return null;
        }

        if (IsUnset(setting, text))
        {
            return setting is { Type: SettingType.Text, Default: not null } ? throw new SettingsException($"{setting.AllNames} must not be empty; its default is {setting.Default}.") : null;
        }

        return SettingText.TryRead(setting, text, out var value, out var error) ? value : throw new SettingsException(error!);
    }
}
