using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>Keys below <c>Grid</c> that nothing reads.</summary>
internal static class UnknownSettings
{
    /// <summary>Each with the nearest one that exists.</summary>
    public static IEnumerable<(string Key, string Nearest)> Find(IConfigurationRoot configuration)
    {
        var files = configuration.Providers.OfType<SecretFiles>().ToList();
        foreach (var (key, value) in configuration.GetSection("Grid").AsEnumerable())
        {
            // Only the environment names files.
            if (value is not null && !IsKnown(key) && !files.Any(file => file.IsRead(key)) && !(value.Length == 0 && key.EndsWith(SecretFiles.Suffix, StringComparison.Ordinal)))
            {
                yield return (key, Nearest(key));
            }
        }
    }

    /// <summary>Whether a key means something, by itself or as an item of a list.</summary>
    public static bool IsKnown(string key) => SettingTable.Find(key) is not null
        || (key.LastIndexOf(':') is var colon and > 0 && int.TryParse(key.AsSpan(colon + 1), out _) && SettingTable.Find(key[..colon]) is { Type: SettingType.Text });

    public static string Nearest(string key) => NearestName.Of(key, SettingTable.All.Select(row => row.Key).OfType<string>());
}
