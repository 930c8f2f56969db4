using Grid.Abstractions.Settings;

namespace Grid.Hosting.Settings;

/// <summary>What goes to standard output. Section <c>Grid:Logging</c>.</summary>
internal sealed class LogOptions
{
    public const string Section = "Grid:Logging";

    public LogOptions() => SettingBinding.SetDefaults(this, Section);

    public bool Json { get; set; }

    public LogLevel Level { get; set; }
}
