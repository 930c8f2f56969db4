using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;

namespace Grid.Silo.Settings;

/// <summary>Reads configuration by the rows of <see cref="SettingTable"/>.</summary>
internal static class SettingsBinder
{
    /// <summary>The options of a section.</summary>
    /// <exception cref="SettingsException">A value is wrong.</exception>
    public static T Bind<T>(IConfiguration configuration, string section)
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
    public static AppDefaults BindDefaults(IConfiguration configuration)
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

    /// <summary>A setting's text; lists of a JSON file become comma-separated.</summary>
    public static string? Text(IConfiguration configuration, Setting setting) => configuration[setting.Key!]
        ?? (setting.Type == SettingType.Text && configuration.GetSection(setting.Key!).GetChildren().Select(item => item.Value).OfType<string>().ToList() is { Count: > 0 } items
            ? string.Join(',', items)
            : null);

    private static object? Read(IConfiguration configuration, Setting setting)
    {
        if (Text(configuration, setting) is not { } text)
        {
            return null;
        }

        // Empty is unset, as in the environment of containers; a rule of blanks is none either.
        if (!setting.MayBeEmpty && (text.Length == 0 || (setting.Level == SettingLevel.Tenant && string.IsNullOrWhiteSpace(text))))
        {
            return setting is { Type: SettingType.Text, Default: not null } ? throw new SettingsException($"{setting.AllNames} must not be empty; its default is {setting.Default}.") : null;
        }

        return SettingText.TryRead(setting, text, out var value, out var error) ? value : throw new SettingsException(error!);
    }
}
