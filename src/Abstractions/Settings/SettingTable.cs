using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Grid.Abstractions.Settings;

/// <summary>
/// Every setting, once. Binding, checks, <c>grid config show</c>, the core API's answers about core config and docs/settings.md are loops
/// over this table: a new setting is a new row here, and a property where its value is used.
/// </summary>
public static partial class SettingTable
{
    /// <summary>All rows, in the order in which people should see them.</summary>
    public static ImmutableArray<Setting> All { get; } =
    [
        .. CoreRows(), .. FrontRows(), .. StoreRows(), .. KeyRows(), .. SessionRows(), .. RevocationRows(), .. ClusterRows(), .. PurgeRows(), .. OverloadRows(), .. UpstreamRows(), .. ImportRows(), .. ShutdownRows(), .. LoggingRows(), .. TelemetryRows(),
        .. OtherRecipeRows(), .. OtherServerRows(), .. OtherDatabaseRows(),
    ];

    private static readonly FrozenDictionary<string, Setting> ByKey = All.Where(row => row.Key is not null)
        .ToFrozenDictionary(row => row.Key!, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, Setting> ByCoreConfigKey = All
        .SelectMany(row => new[] { row.CoreConfigKey, row.OlderCoreConfigKey }.OfType<string>().Select(name => (name, row)))
        .ToFrozenDictionary(pair => pair.name, pair => pair.row, StringComparer.Ordinal);

    /// <summary>Settings that apps may set for themselves.</summary>
    public static ImmutableArray<Setting> OfApps { get; } = [.. All.Where(row => row.Write is not null)];

    /// <summary>The row of one of Grid's own settings; null if there is none.</summary>
    public static Setting? Find(string key) => ByKey.GetValueOrDefault(key);

    /// <summary>The row of a key of core config, by its present or former name; null if no version of SuperTokens or Grid knows it.</summary>
    public static Setting? FindCoreConfig(string name) => ByCoreConfigKey.GetValueOrDefault(name);

    /// <summary>Why a key cannot be in the core config of an app or a tenant; null if it can.</summary>
    public static string? WhyNotIn(Setting setting, string name, SettingLevel level)
    {
        ArgumentNullException.ThrowIfNull(setting);
        ArgumentNullException.ThrowIfNull(name);
        return level == SettingLevel.Base ? null
            : name.StartsWith("postgresql_", StringComparison.Ordinal)
                ? $"{name} would keep this app or tenant in a database of its own, and Grid keeps an installation in one: set it for the installation, or run another Grid over that database"
            : setting.Level == SettingLevel.Base ? $"{name} can only be set via the core's base config setting"
            : null;
    }
}
