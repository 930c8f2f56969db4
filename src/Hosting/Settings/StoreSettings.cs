using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>Where sessions are kept, as it was set. Section <c>Grid:Store</c>.</summary>
internal sealed class StoreSettings
{
    public const string Section = "Grid:Store";

    public StoreSettings() => SettingBinding.SetDefaults(this, Section);

    public string? ConnectionString { get; set; }

    public string SqlitePath { get; set; } = null!;

    public bool AllowUnsafeDurability { get; set; }

    public bool MigrateAtStart { get; set; }

    public int MaxConnections { get; set; }
}
